import ArgumentParser
import Console
import ControlInstance
import HypervisorAPI

struct HostLs: Verb {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List hosts: what each is, whether it answers, and what lives there."
    )

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let answer = try await session.client().get(HostsAnswer.self, "/v1/hosts")
        session.show(answer) { answer in
            var table = Table(
                .left("HOST"),
                .left("STATE"),
                .left("ADDRESS"),
                .left("ARCH"),
                .left("QEMU"),
                .left("KVM"),
                .right("FREE"),
                .left("CLOCK"),
                .right("MACHINES"),
                .left("LABELS"),
                .left("PROBLEMS")
            )
            for host in answer.hosts {
                let findings = host.description?.findings.filter { $0.level == .problem }.map(\.message) ?? []
                table.add(
                    Table.Cell(host.name, .strong),
                    Table.Cell(host.state.rawValue, host.state == .unreachable ? .bad : nil),
                    Table.Cell(host.address ?? "this host"),
                    Table.Cell(host.description?.architecture ?? ""),
                    Table.Cell(Self.versions(host)),
                    Table.Cell(host.description?.kvm.map { $0 ? "yes" : "no" } ?? ""),
                    Table.Cell(host.description?.freeBytes.map(TimeText.bytes) ?? ""),
                    Table.Cell(Self.clock(host)),
                    "\(host.machines)",
                    Table.Cell(
                        host.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
                    ),
                    Table.Cell((host.problems.map(\.message) + findings).joined(separator: "; "))
                )
            }
            session.terminal.print(table)
        }
    }

    /// How far it may be from true time.
    private static func clock(_ host: HostReport) -> String {
        guard let description = host.description else { return "" }
        return description.clockErrorBound.map { "±\(TimeText.span($0))" } ?? "not synchronised"
    }

    private static func versions(_ host: HostReport) -> String {
        Set((host.description?.binaries ?? []).map { $0.version.map(String.init).joined(separator: ".") }).sorted()
            .joined(separator: ", ")
    }
}
