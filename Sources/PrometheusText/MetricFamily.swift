/// One metric with all its samples, and its text in the Prometheus exposition format 0.0.4.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    /// Letters, digits and underscores; ends in the unit, and a counter in `_total`.
    public let name: String
    public let help: String
    public let kind: Kind
    private var samples: [MetricSample] = []

    public init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.help = help
        self.kind = kind
    }

    public mutating func add(_ value: Double, _ labels: MetricLabel...) {
        samples.append(MetricSample(suffix: "", labels: labels, value: value))
    }

    public mutating func add(_ histogram: Histogram, _ labels: MetricLabel...) {
        samples += histogram.samples(labels: labels)
    }

    /// Empty without samples: a metric that nobody has measured is not told.
    public var text: String {
        guard !samples.isEmpty else { return "" }
        let help = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n" + samples.map { $0.line(of: name) }.joined()
    }
}
