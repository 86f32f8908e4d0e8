import ArgumentParser
import PKI
import Time

/// Not named like its module, which would hide the module's other names.
struct PKIVerbs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki",
        abstract: "Make and revoke the certificates by which a control instance and hypervisors know each other.",
        discussion: """
            The lab's own authority lies in the folder 'pki' of the state folder (FERMATA_HOME). Whoever can read it can act as any host: \
            it stays on one machine. Each host gets a folder of its own, which is 'trust' in its state folder. Needs no daemon.
            """,
        subcommands: [PKIInit.self, PKIIssue.self, PKIRevoke.self, PKIList.self]
    )

    static func span(_ text: String) throws -> Span {
        do {
            return try Span(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// Does what may fail, and tells it as the command line tells failures.
    static func attempt<Result>(_ body: () throws(PKIError) -> Result) throws(CommandFailure) -> Result {
        do {
            return try body()
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension Home {
    /// The folder of the authority.
    var authority: String { "\(path)/pki" }

    /// The folder of this host's own credentials.
    var trust: String { "\(path)/trust" }

    func openAuthority() throws(CommandFailure) -> Authority {
        try PKIVerbs.attempt { () throws(PKIError) in try Authority(openingAt: authority) }
    }
}

extension CommandFailure {
    init(_ error: PKIError) {
        let status: ExitStatus =
            switch error.code {
            case .name, .address, .validity: .usage
            case .exists: .refused
            default: .failed
            }
        self.init(status, code: error.code.rawValue, error.message)
    }
}
