import Testing

/// Bytes to send, shown by a name: some are long, and some would spoil a terminal.
struct Input: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    var testDescription: String { name }
}
