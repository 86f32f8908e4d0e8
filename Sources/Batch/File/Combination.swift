/// The steps with one value of each of the matrix' names.
package struct Combination: Hashable, Sendable {
    /// From 1.
    package var number: Int
    /// In the order in which the file has them.
    package var values: [Value]
    package var steps: [Step]

    package struct Value: Codable, Hashable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(number: Int, values: [Value], steps: [Step]) {
        self.number = number
        self.values = values
        self.steps = steps
    }

    /// `offset=+1h, site=berlin`; no two of a batch have the same one.
    package var name: String {
        values.isEmpty ? "steps" : values.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
    }
}
