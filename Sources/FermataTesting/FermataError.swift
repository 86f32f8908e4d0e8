import FoundationEssentials

/// What fermata did not do: what happened, to what, what to do about it.
public struct FermataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One thing that was wrong.
    public struct Reason: Codable, Hashable, Sendable, CustomStringConvertible {
        /// As ``FermataError/code``.
        public let code: String
        /// nil: it is not about one machine.
        public let machine: String?
        /// A sentence.
        public let message: String

        public var description: String { machine.map { "\($0): \(message)" } ?? message }
    }

    /// Stable over releases; docs/errors.md lists those of the program. This library has some of its own: `program-missing`,
    /// `program-failed`, `daemon-of-other-version`, `daemon-elsewhere`, `answer-not-understood`, `machine-missing`, `serial-missing`,
    /// `no-simulation` and `usage`.
    public let code: String
    /// Sentences.
    public let detail: String
    /// That of the command line: 1 failed, everything as before; 2 usage; 3 refused, nothing happened; 4 the instant was missed;
    /// 5 the outcome is unknown; 6 a checkpoint is corrupt; 7 host clocks are not synchronised; 130 called off.
    public let exitCode: Int
    /// Everything that was wrong; empty when there is no more to say than ``detail``.
    public let reasons: [Reason]

    public var description: String { detail }

    /// Of everything that was wrong.
    public var codes: Set<String> { Set(reasons.map(\.code)).union([code]) }

    init(code: String, exitCode: Int = 1, reasons: [Reason] = [], _ detail: String) {
        self.code = code
        self.detail = detail
        self.exitCode = exitCode
        self.reasons = reasons
    }

    /// From a problem of the API, or from an operation's result: the last line that `fermata --json` prints.
    /// - Parameters:
    ///   - what: what was being done.
    ///   - otherwise: what is told when the answer explains nothing.
    init(answer: Data, status: Int, doing what: String, otherwise: String) {
        let told = try? JSONDecoder().decode(Told.self, from: answer)
        let reasons = told?.reasons ?? []
        let words = reasons.map(\.description).joined(separator: "; ")
        let detail = told?.detail ?? (words.isEmpty ? told?.outcome.map { "it ended as \($0)" } : words) ?? otherwise
        self.init(
            code: told?.code ?? reasons.first?.code ?? told?.outcome ?? "program-failed",
            exitCode: told?.exitCode ?? status,
            reasons: reasons,
            "\(what): \(detail)"
        )
    }

    /// What either of the two may have.
    private struct Told: Decodable {
        let code: String?
        let detail: String?
        let outcome: String?
        let reasons: [Reason]?
        let exitCode: Int?
    }

    static func notUnderstood(_ what: String, _ why: any Error) -> FermataError {
        FermataError(
            code: "answer-not-understood",
            "the answer to '\(what)' is not understood (\(why)): fermata may be of another version than this library, which is "
                + "\(Fermata.version)"
        )
    }
}
