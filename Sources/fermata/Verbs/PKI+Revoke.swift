import ArgumentParser
import HostClock
import PKI

struct PKIRevoke: Verb {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a host's certificates for good.",
        discussion:
            "A host refuses them as soon as it has the new file 'revoked' of the authority's folder: copy it to the 'trust' of all hosts."
    )

    @Argument(
        help: ArgumentHelp("A serial number, or a name: all certificates of that name.", valueName: "name|serial")
    )
    var target: String

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let authority = try session.home.openAuthority()
        let target = target
        let revoked = try PKIVerbs.attempt { () throws(PKIError) in
            // Some serial numbers could be names.
            let isSerial = try authority.list().contains { $0.serial == target.lowercased() }
            return if isSerial {
                try authority.revoke(serial: target, now: .now)
            } else {
                try authority.revoke(name: target, now: .now)
            }
        }
        let list = "\(session.home.authority)/revoked"
        let isKnownHere = try knows(authority, session.home.trust)
        if session.global.json {
            try session.showJSON(Revoked(certificates: revoked, list: list))
            return
        }
        for record in revoked {
            let when = record.revoked.map { TimeText.local($0, fraction: 0) } ?? ""
            session.terminal.print("revoked \(record.serial) of \(record.role.rawValue) \(record.name), \(when)")
        }
        if isKnownHere { session.terminal.print("this control instance knows it") }
        session.terminal.print("copy \(list) to 'trust' of all other hosts: until then they know nothing of it")
    }

    /// This host's own folder gets the new list at once, if there is one of this authority.
    private func knows(_ authority: Authority, _ trust: String) throws(CommandFailure) -> Bool {
        try PKIVerbs.attempt { () throws(PKIError) in
            guard let store = try? TrustStore.load(from: trust),
                store.policy.authorities.contains(where: { $0.fingerprint == authority.certificate.fingerprint })
            else { return false }
            _ = try store.installing(try authority.revocations(now: .now))
            return true
        }
    }

    private struct Revoked: Encodable {
        let certificates: [CertificateRecord]
        let list: String
    }
}
