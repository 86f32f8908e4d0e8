import HostClock
import HypervisorAPI
import Time

/// What `doctor` and `host ls` say of the host's clock: the kernel's bound, which counts, and where chrony disciplines it, chrony's word.
enum HostClockFinding {
    private static let subject = "host clock"

    static func look() async -> HypervisorDescription.Finding {
        finding(kernel: clockSynchronisation(), chrony: await tracking())
    }

    static func finding(kernel: ClockSynchronisation, chrony: ChronyTracking?) -> HypervisorDescription.Finding {
        guard let bound = kernel.errorBound else {
            let why =
                chrony.map { $0.maximumError == nil ? "; chrony runs and follows no source (`chronyc sources`)" : "" }
                ?? ""
            return .init(
                level: .notice,
                subject: subject,
                message: "not synchronised with a time source\(why); instants are right on this host only"
            )
        }
        return .init(level: .ok, subject: subject, message: "synchronised to within \(bound)\(word(of: chrony))")
    }

    private static func word(of chrony: ChronyTracking?) -> String {
        guard let chrony else { return "" }
        guard let error = chrony.maximumError else { return "; chrony runs and follows no source" }
        let source = chrony.source.isEmpty ? "a clock of this host" : chrony.source
        return "; chrony says \(error), stratum \(chrony.stratum), from \(source)"
    }

    /// nil: chrony is not installed, or its daemon does not answer.
    private static func tracking() async -> ChronyTracking? {
        guard let chronyc = ExecutablePath.find("chronyc") else { return nil }
        let command = ShortCommand(arguments: [chronyc, "-c", "-n", "tracking"], timeout: .seconds(2))
        guard let output = try? await command.runSuccessfully() else { return nil }
        let text = String(decoding: output.standardOutput, as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).first.flatMap { ChronyTracking($0) }
    }
}
