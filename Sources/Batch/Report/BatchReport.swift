package import Time

/// What came out of a batch.
package struct BatchReport: Codable, Hashable, Sendable {
    package var batch: String
    package var file: String
    package var outcome: Outcome
    /// What the process ends with.
    package var exitCode: Int
    package var started: HostInstant
    package var duration: Span
    /// nil: nothing was prepared.
    package var prepare: CombinationResult?
    /// In the order of the file; of one that was not done all steps are skipped.
    package var combinations: [CombinationResult]

    enum CodingKeys: String, CodingKey {
        case batch, file, outcome, exitCode
        case started = "startedNs"
        case duration = "durationNs"
        case prepare, combinations
    }

    /// - Parameters:
    ///   - results: of the combinations that were done.
    ///   - isCancelled: whether somebody called it off.
    package init(
        _ batch: Batch,
        file: String,
        started: HostInstant,
        duration: Span,
        prepare: CombinationResult?,
        results: [CombinationResult],
        isCancelled: Bool
    ) {
        self.batch = batch.name
        self.file = file
        self.started = started
        self.duration = duration
        self.prepare = prepare
        combinations = batch.combinations.map { combination in
            results.first { $0.number == combination.number }
                ?? CombinationResult(
                    number: combination.number,
                    name: combination.name,
                    values: combination.values,
                    outcome: .skipped,
                    started: started,
                    duration: .zero,
                    steps: combination.steps.map {
                        StepResult(line: $0.line, step: $0.words, outcome: .skipped)
                    }
                )
        }
        let all = combinations.map(\.outcome) + [prepare?.outcome].compactMap { $0 }
        outcome = [.error, .failed, .skipped].first { all.contains($0) } ?? .passed
        exitCode = isCancelled ? 130 : outcome == .passed ? 0 : 1
    }

    /// `2 of 3 passed, 1 failed`.
    package var summary: String {
        let counts = [Outcome.failed, .error, .skipped].compactMap { outcome -> String? in
            let count = combinations.filter { $0.outcome == outcome }.count
            let word = outcome == .error ? "could not be done" : outcome == .skipped ? "not done" : outcome.rawValue
            return count == 0 ? nil : "\(count) \(word)"
        }
        let passed = combinations.filter { $0.outcome == .passed }.count
        return (["\(passed) of \(combinations.count) passed"] + counts).joined(separator: ", ")
    }
}
