import Console
import FoundationEssentials
import HypervisorAPI

/// How a failure is told: a sentence and its reasons on standard error; with `--json` also an object on standard output.
struct FailureReport {
    private let problem: Problem
    private let status: ExitStatus
    private let hint: String?

    init(_ failure: CommandFailure) {
        hint = failure.hint
        problem = failure.problem
        status = failure.status
    }

    func write(asJSON: Bool) {
        let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
        if asJSON { writeJSON(terminal) }
        writeText(terminal)
    }

    func writeJSON(_ terminal: Terminal) {
        guard let json = try? JSONText.encode(ResultLine(problem: problem)) else { return }
        terminal.print(String(decoding: json, as: UTF8.self))
    }

    func writeText(_ terminal: Terminal) {
        let lead = terminal.error.apply(.bad, "fermata:")
        // The description of several reasons is all of them in one line; people read a list better.
        if problem.reasons.count > 1 {
            terminal.note("\(lead) \(headline):")
            for reason in problem.reasons { terminal.note("  - \(reason)") }
        } else {
            terminal.note("\(lead) \(problem.detail)")
        }
        if let hint { terminal.note("  hint: \(hint)") }
    }

    private var headline: String {
        switch status {
        case .refused: "refused, nothing happened"
        case .missed: "the instant was missed, everything was rolled back"
        case .unknown: "the outcome is not known"
        case .corrupt: "the checkpoint cannot be used"
        case .unsynchronised: "the hosts' clocks are not synchronised well enough"
        case .cancelled: "cancelled"
        case .usage: "what was asked for is wrong, nothing was done"
        case .done, .failed: "failed, everything is as before"
        }
    }

    /// The last line of `--json`, whatever the verb.
    private struct ResultLine: Encodable {
        let event = "result"
        let code: String
        let detail: String
        let reasons: [Reason]
        let exitCode: Int

        init(problem: Problem) {
            code = problem.code
            detail = problem.detail
            reasons = problem.reasons
            exitCode = problem.exitCode
        }
    }
}
