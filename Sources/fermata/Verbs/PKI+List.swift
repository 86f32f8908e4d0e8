import ArgumentParser
import HostClock
import PKI
import Time

struct PKIList: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List all certificates that were issued, and which are revoked."
    )

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let authority = try session.home.openAuthority()
        let records = try PKIVerbs.attempt { () throws(PKIError) in try authority.list() }
        if session.global.json {
            try session.showJSON(
                Listing(
                    folder: authority.path,
                    fingerprint: authority.certificate.fingerprint,
                    expiresNs: authority.certificate.expires,
                    certificates: records
                )
            )
            return
        }
        let terminal = session.terminal
        guard !records.isEmpty else {
            terminal.print("No certificates yet. Make one with 'fermata pki issue hypervisor NAME'.")
            return
        }
        terminal.print(Self.table(records, at: .now))
        let end = TimeText.local(authority.certificate.expires, fraction: 0)
        terminal.print(terminal.out.apply(.faint, "the authority is valid until \(end)"))
    }

    private static func table(_ records: [CertificateRecord], at now: HostInstant) -> Table {
        var table = Table(
            .left("ROLE"),
            .left("NAME"),
            .left("STATE"),
            .left("EXPIRES"),
            .left("SERIAL"),
            .left("ADDRESSES")
        )
        for record in records {
            table.add(
                Table.Cell(record.role.rawValue),
                Table.Cell(record.name, .strong),
                state(record, at: now),
                Table.Cell(TimeText.local(record.expires, fraction: 0)),
                Table.Cell(record.serial),
                Table.Cell(record.addresses.joined(separator: ", "))
            )
        }
        return table
    }

    private static func state(_ record: CertificateRecord, at now: HostInstant) -> Table.Cell {
        if let revoked = record.revoked { return Table.Cell("revoked \(TimeText.relative(revoked, to: now))", .bad) }
        if record.expires < now { return Table.Cell("expired", .warning) }
        return Table.Cell("valid", .good)
    }

    private struct Listing: Encodable {
        let folder: String
        let fingerprint: String
        let expiresNs: HostInstant
        let certificates: [CertificateRecord]
    }
}
