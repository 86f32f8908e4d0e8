import Batch
import SerialText
import Time

/// What `batch` says of its work: lines for people, or with `--json` an object for each step and the report last.
struct BatchTeller: Sendable {
    let session: Session
    let file: BatchFile

    private var terminal: Terminal { session.terminal }

    func tellPlan() throws {
        if session.global.json {
            try session.showJSON(Plan(batch: file.batch.name, plan: file.batch.plan))
        } else {
            for line in file.batch.plan { terminal.print(line) }
        }
    }

    func tellBeginning(done: Int) {
        guard !session.global.json, done > 0 else { return }
        terminal.print("\(done) of \(file.batch.combinations.count) have a result already")
    }

    /// - Parameter name: of the combination, or `prepare`.
    func tell(_ result: StepResult, of name: String) {
        if session.global.json {
            try? session.showJSON(StepLine(combination: name, result: result))
            return
        }
        let mark = Self.mark(result.outcome, terminal.out)
        terminal.print("\(mark)  \(Visible.text(name)): \(result.step)  \(TimeText.span(result.duration))")
        guard result.outcome != .passed else { return }
        if let message = result.message {
            terminal.print("      \(file.path):\(result.line): \(Visible.text(message))")
        }
        for line in (result.output ?? "").split(whereSeparator: \.isNewline) {
            terminal.print("      | \(Visible.text(String(line)))")
        }
    }

    func tellEnd(_ report: BatchReport) throws {
        if session.global.json {
            try session.showJSON(EndLine(report: report))
            return
        }
        for result in report.combinations where result.outcome == .failed || result.outcome == .error {
            let why = result.culprit?.message ?? ""
            terminal.print(
                "\(Self.mark(result.outcome, terminal.out))  \(Visible.text(result.name)): \(Visible.text(why))"
            )
        }
        terminal.print("\(report.batch): \(report.summary), in \(TimeText.span(report.duration))")
        if report.combinations.contains(where: { $0.outcome == .skipped }) {
            terminal.print("go on with: fermata batch \(file.path) --resume")
        }
    }

    func note(_ text: String) { terminal.note("fermata: \(text)") }

    private static func mark(_ outcome: Outcome, _ styler: Styler) -> String {
        switch outcome {
        case .passed: styler.apply(.good, "ok    ")
        case .failed: styler.apply(.bad, "FAILED")
        case .error: styler.apply(.bad, "ERROR ")
        case .skipped: styler.apply(.faint, "-     ")
        }
    }

    private struct Plan: Encodable {
        let batch: String
        let plan: [String]
    }

    private struct StepLine: Encodable {
        let event = "step"
        let combination: String
        let result: StepResult

        private enum CodingKeys: String, CodingKey { case event, combination }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(event, forKey: .event)
            try container.encode(combination, forKey: .combination)
            try result.encode(to: encoder)
        }
    }

    private struct EndLine: Encodable {
        let event = "result"
        let report: BatchReport

        private enum CodingKeys: String, CodingKey { case event }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(event, forKey: .event)
            try report.encode(to: encoder)
        }
    }
}
