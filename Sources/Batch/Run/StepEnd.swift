/// How a step came out, as whoever did it says.
package struct StepEnd: Hashable, Sendable {
    package var outcome: Outcome
    package var message: String?
    package var output: String?

    package init(_ outcome: Outcome, _ message: String? = nil, output: String? = nil) {
        self.outcome = outcome
        self.message = message
        self.output = output
    }

    package static let passed = StepEnd(.passed)
}
