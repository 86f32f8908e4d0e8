import ArgumentParser
import ControlInstance
import HypervisorAPI

struct Doctor: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this host can do: QEMU versions, KVM, real-time privileges, space, libraries.",
        discussion: "Ends with 1 when there is a problem."
    )

    @OptionGroup var global: GlobalOptions

    func perform(_ session: Session) async throws {
        let report = try await session.client().get(DoctorReport.self, "/v1/doctor")
        session.show(report) { show($0, session.terminal) }
        if !report.value.isHealthy { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func show(_ report: DoctorReport, _ terminal: Terminal) {
        terminal.print("state folder \(report.home)")
        show(report.findings, terminal)
        for host in report.hosts {
            terminal.print()
            terminal.print("host \(terminal.out.apply(.strong, host.host)) (\(host.architecture))")
            show(host.findings, terminal)
            for group in Self.groups(host.binaries) { terminal.print(group) }
        }
        let problems = (report.findings + report.hosts.flatMap(\.findings)).filter { $0.level == .problem }.count
        terminal.print()
        if problems == 0 {
            terminal.print(terminal.out.apply(.good, "No problems."))
        } else {
            terminal.print(terminal.out.apply(.bad, problems == 1 ? "1 problem." : "\(problems) problems."))
        }
    }

    /// One entry for all QEMUs of one version in one folder: there are dozens of targets.
    private static func groups(_ binaries: [QEMUBinary]) -> [String] {
        let groups = Dictionary(grouping: binaries) { binary in
            let version = binary.version.map { String($0) }.joined(separator: ".")
            let folder = binary.path.lastIndex(of: "/").map { String(binary.path[..<$0]) } ?? ""
            return "  QEMU \(version) in \(folder)\(binary.sandbox ? "" : ", without sandbox"):"
        }
        return groups.sorted { $0.key < $1.key }.flatMap { head, binaries in
            [head] + wrapped(Set(binaries.map(\.target)).sorted().joined(separator: " "))
        }
    }

    private static func wrapped(_ text: String) -> [String] {
        text.split(separator: " ").reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.count + word.count < 78 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append("    \(word)")
            }
        }
    }

    private func show(_ findings: [HypervisorDescription.Finding], _ terminal: Terminal) {
        let width = findings.map(\.subject.count).max() ?? 0
        for finding in findings {
            let (mark, style): (String, Style) =
                switch finding.level {
                case .ok: ("ok     ", .good)
                case .notice: ("notice ", .warning)
                case .problem: ("problem", .bad)
                }
            let padding = String(repeating: " ", count: width - finding.subject.count)
            terminal.print("  \(terminal.out.apply(style, mark))  \(finding.subject)\(padding)  \(finding.message)")
        }
    }
}
