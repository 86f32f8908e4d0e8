import ControlInstance
import FoundationEssentials
import Glibc
import GuestClock
import Hypervisor
import HypervisorAPI
import Logging
import Manifest
import Time

/// A control instance over this host's hypervisor, as the daemon has it, with a state folder of its own.
final class Lab {
    let folder: TemporaryFolder
    private(set) var hypervisor: LocalHypervisor
    private(set) var control: ControlInstance

    private let ramFolder: String?
    /// nil: the hypervisor is the control instance's own.
    private let agent: Agent?

    private init(folder: TemporaryFolder, ramFolder: String?, elsewhere: Bool) async throws {
        self.folder = folder
        self.ramFolder = ramFolder
        agent = elsewhere ? try Agent(in: folder) : nil
        (hypervisor, control) = try await Self.parts(folder, ramFolder, agent)
    }

    /// Runs `body` with a lab; afterwards, however it ended, no process of the lab is left.
    /// - Parameters:
    ///   - ramFolder: where machines have their RAM; nil: where it is by default.
    ///   - elsewhere: the machines are those of another host: its hypervisor has a state folder of its own and is an agent.
    static func with<Value>(
        ramFolder: String? = nil,
        elsewhere: Bool = false,
        _ body: (Lab) async throws -> Value
    ) async throws -> Value {
        let lab = try await Lab(folder: TemporaryFolder(), ramFolder: ramFolder, elsewhere: elsewhere)
        do {
            let value = try await body(lab)
            await lab.close()
            return value
        } catch {
            print("\(type(of: error)):", await lab.postMortem())
            await lab.close()
            throw error
        }
    }

    /// Another daemon over the same folder, as after a crash: nothing is handed over but files.
    func restart() async throws -> RecoveryReport {
        (hypervisor, control) = try await Self.parts(folder, ramFolder, agent)
        return await control.recover()
    }

    /// Another hypervisor over the same folder, and nobody who commands it.
    func restartHypervisor() async throws { (hypervisor, control) = try await Self.parts(folder, ramFolder, agent) }

    private static func parts(
        _ folder: TemporaryFolder,
        _ ramFolder: String?,
        _ agent: Agent?
    ) async throws -> (LocalHypervisor, ControlInstance) {
        var logger = Logger(label: "fermata.test")
        logger.logLevel = .error
        let hypervisor = try await LocalHypervisor(
            home: agent?.home ?? folder.path,
            host: "test",
            ramFolder: ramFolder,
            logger: logger
        )
        let control = try ControlInstance(
            home: folder.path,
            hypervisors: [try await agent?.remote(hypervisor, of: folder.path) ?? hypervisor],
            store: SQLiteStore(path: folder.file("state.sqlite")),
            logger: logger
        )
        return (hypervisor, control)
    }

    /// How the machines were when a test failed, and the last that they said.
    private func postMortem() async -> String {
        var text = "the lab's machines at the failure:"
        for machine in await hypervisor.machines(of: nil) {
            let log = machine.log.flatMap { try? TemporaryFolder.contents(of: $0) } ?? []
            let end = String(decoding: log.suffix(600), as: UTF8.self)
            text +=
                "\n\(machine.name): \(machine.state), \(machine.runState ?? "silent"); \(log.count) bytes, last: \(end)"
        }
        return text
    }

    private func close() async {
        await control.drain()
        for simulation in (try? await control.simulations()) ?? [] {
            _ = try? await control.down(simulation.simulation)
        }
        // What even `down` did not end: every QEMU that was started with this folder's paths.
        for process in processes() { kill(process, SIGKILL) }
        _ = await control.windDown()
        await agent?.end()
        try? FileManager.default.removeItem(atPath: hypervisor.ramFolder)
    }

    /// In the state folder of the host that has the machines.
    func file(_ name: String) -> String { "\(agent?.home ?? folder.path)/\(name)" }

    /// Every QEMU whose command line names the lab's folder, whoever started it.
    /// - Parameter simulation: nil: of all.
    func processes(of simulation: String? = nil) -> [pid_t] {
        let mark = simulation.map { file("machines/\($0)/") } ?? folder.path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { process in
            guard let line = try? TemporaryFolder.contents(of: "/proc/\(process)/cmdline") else { return false }
            let text = String(decoding: line, as: UTF8.self)
            return text.prefix { $0 != "\0" }.contains("qemu-system") && text.contains(mark)
        }
    }

    // MARK: - Operations, to their ends

    @discardableResult
    func up(_ spec: SimulationSpec, _ when: When = .asap) async throws -> OperationReport {
        try await control.result(of: control.up(UpRequest(spec: spec, when: when)))
    }

    func suspend(_ simulation: String, as checkpoint: String? = nil, _ when: When = .asap) async throws
        -> OperationReport
    {
        let request = SaveRequest(simulation: simulation, checkpoint: checkpoint, when: when)
        return try await control.result(of: control.suspend(request))
    }

    func checkpoint(_ simulation: String, as checkpoint: String) async throws -> OperationReport {
        let request = SaveRequest(simulation: simulation, checkpoint: checkpoint)
        return try await control.result(of: control.checkpoint(request))
    }

    func resume(
        _ simulation: String,
        _ checkpoint: String? = nil,
        _ policy: ClockPolicy? = nil,
        _ scope: ClockScope = .rtc,
        ram: RAMUse = .keep
    ) async throws -> OperationReport {
        let request = ResumeRequest(
            simulation: simulation,
            checkpoint: checkpoint,
            policy: policy,
            scope: scope,
            ram: ram
        )
        return try await control.result(of: control.resume(request))
    }

    func rewind(
        _ simulation: String,
        to checkpoint: String,
        keeping: RewindRequest.Keeping = .checkpoint(nil)
    ) async throws -> OperationReport {
        let goal = ResumeRequest(simulation: simulation, checkpoint: checkpoint)
        return try await control.result(of: control.rewind(RewindRequest(goal, keeping: keeping)))
    }

    /// Clones, to the ends of all.
    func clone(
        _ simulation: String,
        _ checkpoint: String,
        as name: String,
        count: Int? = nil
    ) async throws -> [OperationReport] {
        let source = ResumeRequest(simulation: simulation, checkpoint: checkpoint)
        var reports: [OperationReport] = []
        for clone in try await control.clone(CloneRequest(source, as: name, count: count)) {
            reports.append(try await control.result(of: clone.operation))
        }
        return reports
    }

    func machines(of simulation: String) async throws -> [String: MachineStatus] {
        let machines = try await control.simulation(named: simulation).machines
        return Dictionary(machines.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The consoles of all machines, by their names; each then says a record for every line.
    func consoles(of simulation: String) async throws -> [String: GuestConsole] {
        var consoles: [String: GuestConsole] = [:]
        for (name, machine) in try await machines(of: simulation) {
            guard let socket = machine.serialSockets.first else { throw TestSupportError("\(name) has no console") }
            consoles[name] = try GuestConsole(of: name, socket: socket)
        }
        return consoles
    }

    /// Names, sizes and SHA-256 of everything in a checkpoint once it is sealed, by a program that fermata has no part in.
    func digests(of checkpoint: String, _ simulation: String) async throws -> String {
        _ = try await control.seal(simulation, checkpoint)
        let path = try await control.show(simulation, checkpoint).folder
        return try Shell.output(
            "cd '\(path)' && find . -type f | sort | xargs stat -c '%n %s %Y' && find . -type f | sort | xargs sha256sum"
        )
    }
}
