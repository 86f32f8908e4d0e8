import ArgumentParser
import Glibc
import HostClock
import PKI
import Time

struct PKIIssue: Verb {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Make a key and a certificate for a host.",
        discussion: """
            Writes one file, for that host alone (mode 0600). A name may have several certificates: to renew one, issue the next, put it \
            in the place of the former, and revoke that.
            """
    )

    @Argument(
        help: ArgumentHelp("control or hypervisor.", valueName: "role"),
        transform: { try PKIIssue.role($0) }
    )
    var role: Role

    @Argument(help: "The host's name.")
    var name: String

    @Option(
        name: .customLong("address"),
        help: ArgumentHelp("A DNS name or IP address by which it is reached, too; can be repeated.", valueName: "addr")
    )
    var addresses: [String] = []

    @Option(help: ArgumentHelp("Where to write it (default: NAME.pem).", valueName: "file"))
    var out: String?

    @Option(
        help: ArgumentHelp("How long it is valid (default: 397d).", valueName: "duration"),
        transform: { try PKIVerbs.span($0) }
    )
    var validity: Span?

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let authority = try session.home.openAuthority()
        let file = out ?? "\(name).pem"
        // Found out before a certificate is on record that nobody has.
        guard access(file, F_OK) != 0 else {
            throw CommandFailure(
                PKIError(.exists, "\(file) is there already: name another file with --out, or move it away")
            )
        }
        let credentials = try PKIVerbs.attempt { () throws(PKIError) in
            try authority.issue(
                role: role,
                name: name,
                addresses: addresses,
                validity: validity ?? Credentials.defaultValidity,
                now: .now
            )
        }
        do throws(PKIError) {
            try credentials.write(to: file)
        } catch {
            // Nobody has it. If that cannot be recorded either, it stays on record as one that nobody has.
            _ = try? authority.revoke(serial: credentials.identity.serial, now: .now)
            throw CommandFailure(error)
        }
        try show(credentials, file, session)
    }

    private func show(_ credentials: Credentials, _ file: String, _ session: Session) throws {
        let identity = credentials.identity
        if session.global.json {
            try session.showJSON(
                Issued(
                    role: identity.role,
                    name: identity.name,
                    serial: identity.serial,
                    expiresNs: identity.expires,
                    file: file
                )
            )
            return
        }
        let terminal = session.terminal
        terminal.print("wrote \(terminal.out.apply(.strong, file)): \(identity), certificate \(identity.serial)")
        terminal.print("valid until \(TimeText.local(identity.expires, fraction: 0))")
        terminal.print("move it to that host, and copy \(session.home.authority)/revoked beside it")
    }

    private static func role(_ text: String) throws -> Role {
        guard let role = Role(rawValue: text) else {
            let roles = Role.allCases.map(\.rawValue).joined(separator: " or ")
            throw ValidationError("'\(text.prefix(40))' is no role: \(roles).")
        }
        return role
    }

    private struct Issued: Encodable {
        let role: Role
        let name: String
        let serial: String
        let expiresNs: HostInstant
        let file: String
    }
}
