import ArgumentParser
import FoundationEssentials
import HypervisorAPI
import NIOHTTP1

struct Adopt: Verb {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Take charge of a QEMU that already runs, by its QMP socket.",
        discussion: """
            The machine becomes part of the simulation (a new one, or one of adopted machines) and can be suspended with it. \
            QEMU needs a monitor of its own for that: -qmp unix:/path,server=on,wait=off
            """
    )

    @Argument(help: "The simulation.", completion: NameCompletion.simulations.kind)
    var simulation: CheckpointName

    @Argument(help: "The name that the machine gets in it.")
    var machine: String

    @Argument(help: ArgumentHelp("The QMP socket: a path, unix:/path or tcp:host:port.", valueName: "monitor"))
    var monitor: String

    @Option(help: "Host that the QEMU runs on (default: the control instance's own).")
    var host: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try simulation.requireSimulation()
        try CheckpointName.check(machine, of: "machine")
    }

    func perform(_ session: Session) async throws {
        let body = Body(machine: machine, monitor: absolute(monitor), host: host)
        let path = "/v1/simulations/\(simulation.simulation)/adopt"
        let answer = try Received<MachineStatus>(
            try await session.client().send(.POST, path, body: try JSONText.encode(body))
        )
        session.show(answer) { status in
            let version = status.launch.qemuVersion.map { String($0) }.joined(separator: ".")
            session.terminal.print(
                "adopted \(status.name) into \(status.simulation): \(status.state.rawValue), "
                    + "\(status.launch.pinnedMachineType) on QEMU \(version)"
                    + (status.processID.map { ", process \($0)" } ?? "")
            )
        }
    }

    private struct Body: Encodable {
        let machine: String
        let monitor: String
        let host: String?
    }

    /// The daemon has another working directory.
    private func absolute(_ monitor: String) -> String {
        if monitor.hasPrefix("tcp:") { return monitor }
        let path = monitor.hasPrefix("unix:") ? String(monitor.dropFirst("unix:".count)) : monitor
        return "unix:" + (path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)")
    }
}
