import Manifest

/// A name of the matrix with its values.
struct Axis: Hashable, Sendable {
    var name: String
    var values: [String]

    static func type(named name: String) -> ValueType<Axis> {
        ValueType<[Placed<String>]>.list(of: ValueType<String>.string, atLeast: 1, "a list of values").map {
            values,
            _,
            reading in
            var known: Set<String> = []
            for value in values {
                // They become names of tests, on one line of a report.
                if value.value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
                    || value.value.utf8.count > 200
                {
                    reading.report(
                        "a value is one line of up to 200 bytes, without control characters",
                        at: value.place
                    )
                }
                if !known.insert(value.value).inserted {
                    reading.report("the value '\(value.value)' is there twice", at: value.place)
                }
            }
            // One of no values has been reported; the steps are looked at nevertheless.
            return Axis(name: name, values: values.isEmpty ? [""] : values.map(\.value))
        }
    }

    /// The first varies slowest. Each has one value at least.
    /// - Returns: nil when there are more.
    static func combinations(_ axes: [Axis], atMost limit: Int) -> [[Combination.Value]]? {
        var all: [[Combination.Value]] = [[]]
        for axis in axes {
            let (count, overflow) = all.count.multipliedReportingOverflow(by: axis.values.count)
            guard !overflow, count <= limit else { return nil }
            all = all.flatMap { values in axis.values.map { values + [Combination.Value(axis.name, $0)] } }
        }
        return all
    }
}
