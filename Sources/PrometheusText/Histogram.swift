/// Observations counted by how large they were, as a Prometheus histogram: values at most as large as a bound count for it.
public struct Histogram: Hashable, Sendable {
    /// Ascending, finite; what is larger than the last counts for infinity alone.
    public let bounds: [Double]
    /// One more than bounds; of each value in the first bound that it does not exceed.
    private var counts: [UInt64]
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public var count: UInt64 { counts.reduce(0, +) }

    /// What is not a number is not counted.
    public mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// Its buckets, each with all smaller ones, its sum and its count.
    func samples(labels: [MetricLabel]) -> [MetricSample] {
        var total: UInt64 = 0
        var samples = zip(bounds + [.infinity], counts).map { bound, count in
            total += count
            let limit = MetricLabel("le", MetricSample.text(bound))
            return MetricSample(suffix: "_bucket", labels: labels + [limit], value: Double(total))
        }
        samples.append(MetricSample(suffix: "_sum", labels: labels, value: sum))
        samples.append(MetricSample(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
