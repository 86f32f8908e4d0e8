/// One value of a metric.
struct MetricSample: Sendable {
    /// What comes after the metric's name: of histograms `_bucket`, `_sum` and `_count`.
    let suffix: String
    let labels: [MetricLabel]
    let value: Double

    func line(of metric: String) -> String {
        let labels = labels.isEmpty ? "" : "{\(labels.map(\.text).joined(separator: ","))}"
        return "\(metric)\(suffix)\(labels) \(Self.text(value))\n"
    }

    /// Whole numbers without a fraction, as far as a Double tells them apart.
    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        guard let whole = Int64(exactly: value), abs(value) < 0x1p53 else { return "\(value)" }
        return "\(whole)"
    }
}
