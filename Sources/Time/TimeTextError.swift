/// Text that is not an instant or not a span.
public struct TimeTextError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was read, shortened when it is very long.
    public let text: String
    /// What is wrong with it, as a clause: `there is no month 13`.
    public let problem: String
    /// What would have been right, with examples.
    public let expected: String

    init(text: String, problem: String, expected: String) {
        // The text may come from anybody: a log line of a megabyte helps nobody.
        self.text = text.count > 64 ? "\(text.prefix(64))…" : text
        self.problem = problem
        self.expected = expected
    }

    public var description: String {
        "\(text.debugDescription): \(problem); expected \(expected)"
    }
}
