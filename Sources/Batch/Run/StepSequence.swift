package import Time

/// Steps that are done one after the other, until one has not passed. Knows no I/O: it says what is next, and is told what came out.
package struct StepSequence: Hashable, Sendable {
    private let steps: [Step]
    package private(set) var results: [StepResult] = []
    private var isOver = false

    package init(_ steps: [Step]) { self.steps = steps }

    /// nil: nothing any more.
    package var next: Step? { isOver || results.count >= steps.count ? nil : steps[results.count] }

    /// Of what ``next`` said.
    /// - Returns: the step's result.
    @discardableResult
    package mutating func ended(_ end: StepEnd, after duration: Span) -> StepResult? {
        guard let step = next else { return nil }
        let result = StepResult(
            line: step.line,
            step: step.words,
            outcome: end.outcome,
            duration: duration,
            message: end.message,
            output: end.output
        )
        results.append(result)
        guard end.outcome != .passed else { return result }
        isOver = true
        results += steps.dropFirst(results.count).map {
            StepResult(line: $0.line, step: $0.words, outcome: .skipped)
        }
        return result
    }

    /// Of all of them.
    package var outcome: Outcome {
        results.map(\.outcome).first { $0 != .passed } ?? (results.count == steps.count ? .passed : .skipped)
    }
}
