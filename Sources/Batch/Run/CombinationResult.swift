package import Time

package struct CombinationResult: Codable, Hashable, Sendable {
    package var number: Int
    package var name: String
    package var values: [Combination.Value]
    package var outcome: Outcome
    package var started: HostInstant
    package var duration: Span
    package var steps: [StepResult]

    enum CodingKeys: String, CodingKey {
        case number, name, values, outcome
        case started = "startedNs"
        case duration = "durationNs"
        case steps
    }

    package init(
        number: Int,
        name: String,
        values: [Combination.Value],
        outcome: Outcome,
        started: HostInstant,
        duration: Span,
        steps: [StepResult]
    ) {
        self.number = number
        self.name = name
        self.values = values
        self.outcome = outcome
        self.started = started
        self.duration = duration
        self.steps = steps
    }

    /// The step that it did not get past.
    package var culprit: StepResult? { steps.first { $0.outcome == .failed || $0.outcome == .error } }
}
