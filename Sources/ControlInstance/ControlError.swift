public import HypervisorAPI

/// Why a control instance did not do what it was asked for. The description is a sentence for people.
public struct ControlError: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    public var reasons: [Reason]
    /// As the outside contract counts them; never 0.
    public var exitCode: Int

    public init(_ reasons: [Reason], exitCode: Int? = nil) {
        self.reasons = reasons
        // What was named and is not there is told in one way, whoever looked for it and in which step.
        let isAbsent = !reasons.isEmpty && reasons.allSatisfy(\.isNotFound)
        let outcome = OperationOutcome(failureWith: reasons, otherwise: .failed)
        self.exitCode = isAbsent ? OperationOutcome.failed.exitCode : exitCode ?? outcome.exitCode
    }

    public init(code: String, machine: String? = nil, message: String, exitCode: Int? = nil) {
        self.init([Reason(code: code, machine: machine, message: message)], exitCode: exitCode)
    }

    init(unwritten error: StoreError) {
        if case .driven = error.kind {
            self.init(code: "driven-elsewhere", message: error.message, exitCode: 3)
        } else {
            self.init(code: "database-failed", message: "the state database cannot be written: \(error)")
        }
    }

    init(_ error: HypervisorError) { self.init(error.reasons) }

    public var description: String { reasons.map(\.description).joined(separator: "; ") }

    /// Something named does not exist.
    public var isNotFound: Bool { reasons.contains(where: \.isNotFound) }
}

extension Reason {
    /// Something named does not exist. A program that a resource would run is not what anybody named to a verb.
    var isNotFound: Bool { code.hasSuffix("-not-found") && code != "command-not-found" }
}
