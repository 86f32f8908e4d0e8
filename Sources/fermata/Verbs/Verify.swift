import ArgumentParser
import ControlInstance
import NIOHTTP1

struct Verify: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every file of a checkpoint and compare it with what was saved.",
        discussion:
            "Ends with 6 when the checkpoint is damaged, with 1 when a part of it could not be read, as of a host that is away."
    )

    @Argument(
        help: ArgumentHelp("The checkpoint.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @OptionGroup var global: GlobalOptions

    func validate() throws { try target.requireCheckpoint() }

    func perform(_ session: Session) async throws {
        let name = try target.requireCheckpoint()
        let path = "/v1/simulations/\(target.simulation)/checkpoints/\(name)/verify"
        let report = try Received<VerifyReport>(try await session.client().send(.POST, path))
        session.show(report) { report in
            let out = session.terminal.out
            if report.ok {
                session.terminal.print("\(target) is \(out.apply(.good, "whole")): every file is as it was saved")
                return
            }
            let finding =
                report.exitCode == ExitStatus.corrupt.rawValue
                ? "is \(out.apply(.bad, "damaged"))"
                : "\(out.apply(.warning, "could not be compared")) as a whole, so it is not known whether it is damaged"
            session.terminal.print("\(target) \(finding):")
            for reason in report.reasons { session.terminal.print("  - \(reason)") }
        }
        if report.value.exitCode != 0 { throw ExitCode(Int32(truncatingIfNeeded: report.value.exitCode)) }
    }
}
