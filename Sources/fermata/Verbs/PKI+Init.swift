import ArgumentParser
import HostClock
import PKI
import Time

struct PKIInit: Verb {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the lab's authority. One that is there is kept."
    )

    @Option(help: "What the authority is called in certificates.")
    var name = "fermata"

    @Option(
        help: ArgumentHelp("How long its certificates can be valid (default: 3650d).", valueName: "duration"),
        transform: { try PKIVerbs.span($0) }
    )
    var validity: Span?

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        try session.home.create()
        let path = session.home.authority
        let authority = try PKIVerbs.attempt { () throws(PKIError) in
            try Authority.create(at: path, name: name, validity: validity ?? Authority.defaultValidity, now: .now)
        }
        if session.global.json {
            try session.showJSON(
                Made(
                    folder: path,
                    name: name,
                    fingerprint: authority.certificate.fingerprint,
                    expiresNs: authority.certificate.expires
                )
            )
            return
        }
        let terminal = session.terminal
        terminal.print("made the authority \(terminal.out.apply(.strong, name)) in \(path)")
        terminal.print("valid until \(TimeText.local(authority.certificate.expires, fraction: 0))")
        terminal.print(
            "next: 'fermata pki issue control NAME' for this control instance, 'fermata pki issue hypervisor NAME' for each host"
        )
    }

    private struct Made: Encodable {
        let folder: String
        let name: String
        let fingerprint: String
        let expiresNs: HostInstant
    }
}
