package import Time

package struct StepResult: Codable, Hashable, Sendable {
    /// Of the batch file.
    package var line: Int
    /// What was to be done.
    package var step: String
    package var outcome: Outcome
    package var duration: Span
    /// Why it has not passed, or what it found; a sentence.
    package var message: String?
    /// What a command said, or a console last.
    package var output: String?

    enum CodingKeys: String, CodingKey {
        case line, step, outcome
        case duration = "durationNs"
        case message, output
    }

    package init(
        line: Int,
        step: String,
        outcome: Outcome,
        duration: Span = .zero,
        message: String? = nil,
        output: String? = nil
    ) {
        self.line = line
        self.step = step
        self.outcome = outcome
        self.duration = duration
        self.message = message
        self.output = output
    }
}
