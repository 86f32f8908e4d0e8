import ArgumentParser

/// `key=value` sets a label, `key-` takes it away.
struct LabelChange: Hashable, Sendable {
    let key: String
    /// nil: it is taken away.
    let value: String?

    init(_ text: String) throws {
        if !text.contains("="), text.hasSuffix("-"), text.count > 1 {
            key = String(text.dropLast())
            value = nil
        } else {
            (key, value) = try Self.setting(
                text,
                else: "'\(text)' changes no label: write key=value to set one, key- to take it away"
            )
        }
    }

    init(setting text: String) throws {
        (key, value) = try Self.setting(text, else: "'\(text)' is no label: write key=value")
    }

    private static func setting(_ text: String, else message: String) throws -> (String, String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError(message) }
        return (parts[0], parts[1])
    }
}
