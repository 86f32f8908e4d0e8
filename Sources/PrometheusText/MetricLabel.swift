/// What tells one sample of a metric from another.
public struct MetricLabel: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Quoted; whatever the value is, it stays on its line and in its quotes.
    var text: String {
        let quoted = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\(name)=\"\(quoted)\""
    }
}
