import Console

/// Why a verb did not do what it was asked: what happened, to what, what to do, and what the process ends with.
struct CommandFailure: Error, CustomStringConvertible {
    let status: ExitStatus
    let problem: Problem
    /// What may help, for people: a sentence.
    var hint: String?

    init(_ status: ExitStatus, code: String, _ message: String) {
        self.status = status
        problem = Problem(code: code, detail: message, exitCode: Int(status.rawValue))
    }

    init(problem: Problem) {
        status = ExitStatus(rawValue: Int32(truncatingIfNeeded: problem.exitCode)) ?? .failed
        self.problem = problem
    }

    var description: String { problem.detail }
}
