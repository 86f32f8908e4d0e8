import ArgumentParser
import FoundationEssentials
import HostClock
import PKI
import Time

struct PKIIssue: Verb {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Make a key and a certificate for a host.",
        discussion: """
            Writes the folder that the host needs as the 'trust' of its state folder, for that host alone: this control instance's own \
            at once, another's as NAME-trust, to be moved there. To renew, issue again into the same folder, and revoke the former.
            """
    )

    @Argument(
        help: ArgumentHelp("control or hypervisor.", valueName: "role"),
        completion: .list(["control", "hypervisor"]),
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

    @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
    var out: String?

    @Option(
        help: ArgumentHelp("How long it is valid (default: 397d).", valueName: "duration"),
        transform: { try PKIVerbs.span($0) }
    )
    var validity: Span?

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let authority = try session.home.openAuthority()
        let folder = absolute(out ?? (role == .control ? session.home.trust : "\(name)-trust"))
        let credentials = try PKIVerbs.attempt { () throws(PKIError) in
            try authority.issue(
                role: role,
                name: name,
                addresses: addresses,
                validity: validity ?? Credentials.defaultValidity,
                now: .now
            )
        }
        let file: String
        do throws(PKIError) {
            let list = try authority.revocations(now: .now)
            file = try TrustStore.equip(folder, with: credentials, list)
        } catch {
            // Nobody has it. If that cannot be recorded either, it stays on record as one that nobody has.
            _ = try? authority.revoke(serial: credentials.identity.serial, now: .now)
            throw CommandFailure(error)
        }
        try show(credentials, folder, "\(folder)/\(file)", session)
    }

    private func absolute(_ folder: String) -> String {
        folder.hasPrefix("/") ? folder : "\(FileManager.default.currentDirectoryPath)/\(folder)"
    }

    private func show(_ credentials: Credentials, _ folder: String, _ file: String, _ session: Session) throws {
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
        if folder != session.home.trust {
            terminal.print("move \(folder) to that host, where it is 'trust' in the state folder of its agent")
        }
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
