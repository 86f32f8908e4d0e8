import ControlInstance
import FoundationEssentials
import Glibc
import GuestClock
import Hypervisor
import HypervisorAPI
import HypervisorRemote
import Logging
import Manifest
import Time

/// A control instance over this host's hypervisor, as the daemon has it, with a state folder of its own.
final class Lab {
    let folder: TemporaryFolder
    /// The control instance's own first, if it has one.
    private var hypervisors: [LocalHypervisor]
    private(set) var control: ControlInstance

    /// Where machines can be. Each host has a state folder of its own.
    enum Hosts {
        /// On the control instance's own.
        case own
        /// On another one, with an agent.
        case other
        /// On either: the other one is called ``Lab/otherHost``.
        case both
    }

    static let otherHost = "test"

    private let ramFolder: String?
    private let hosts: Hosts
    /// Of the other host.
    private let agent: Agent?

    private init(folder: TemporaryFolder, ramFolder: String?, hosts: Hosts) async throws {
        self.folder = folder
        self.ramFolder = ramFolder
        self.hosts = hosts
        agent = hosts == .own ? nil : try Agent(in: folder)
        (hypervisors, control) = try await Self.parts(folder, ramFolder, hosts, agent)
        guard hosts == .both else { return }
        // Both are this machine; the agent is connected to by ``parts(_:_:_:_:)``, and links by this address.
        _ = try await control.addHost(HostRequest(name: Self.otherHost, address: "127.0.0.1:7443"))
    }

    /// Runs `body` with a lab; afterwards, however it ended, no process of the lab is left.
    /// - Parameters:
    ///   - ramFolder: where machines have their RAM; nil: where it is by default.
    static func with<Value>(
        ramFolder: String? = nil,
        hosts: Hosts = .own,
        _ body: (Lab) async throws -> Value
    ) async throws -> Value {
        let lab = try await Lab(folder: TemporaryFolder(), ramFolder: ramFolder, hosts: hosts)
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
        (hypervisors, control) = try await Self.parts(folder, ramFolder, hosts, agent)
        return await control.recover()
    }

    /// Another hypervisor over the same folder, and nobody who commands it.
    func restartHypervisor() async throws {
        (hypervisors, control) = try await Self.parts(folder, ramFolder, hosts, agent)
    }

    private static func parts(
        _ folder: TemporaryFolder,
        _ ramFolder: String?,
        _ hosts: Hosts,
        _ agent: Agent?
    ) async throws -> ([LocalHypervisor], ControlInstance) {
        var logger = Logger(label: "fermata.test")
        logger.logLevel = .error
        let local = { (home: String, host: String) in
            try await LocalHypervisor(home: home, host: host, ramFolder: ramFolder, logger: logger)
        }
        var hypervisors: [LocalHypervisor] = []
        if hosts != .other { hypervisors.append(try await local(folder.path, hosts == .both ? "desk" : "test")) }
        var remote: RemoteHypervisor?
        if let agent {
            let far = try await local(agent.home, otherHost)
            hypervisors.append(far)
            remote = try await agent.remote(far, of: folder.path)
        }
        let own: [any Hypervisor] = hosts == .other ? [remote].compactMap(\.self) : [hypervisors[0]]
        var connect: ControlInstance.Connector?
        if let remote { connect = { _ in remote } }
        let control = try ControlInstance(
            home: folder.path,
            hypervisors: own,
            connect: connect,
            store: SQLiteStore(path: folder.file("state.sqlite")),
            hooks: HookProcess(),
            logger: logger
        )
        return (hypervisors, control)
    }

    /// How the machines were when a test failed, and the last that they said.
    private func postMortem() async -> String {
        var text = "the lab's machines at the failure:"
        for machine in await machinesOfAll() {
            let log = machine.log.flatMap { try? TemporaryFolder.contents(of: $0) } ?? []
            let end = String(decoding: log.suffix(600), as: UTF8.self)
            text +=
                "\n\(machine.name): \(machine.state), \(machine.runState ?? "silent"); \(log.count) bytes, last: \(end)"
        }
        return text
    }

    private func machinesOfAll() async -> [MachineStatus] {
        var all: [MachineStatus] = []
        for hypervisor in hypervisors { all += await hypervisor.machines(of: nil) }
        return all
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
        for hypervisor in hypervisors { try? FileManager.default.removeItem(atPath: hypervisor.ramFolder) }
    }

    var hypervisor: LocalHypervisor { hypervisors[0] }

    /// In the state folder of the host that has the machines; of both, the control instance's own.
    func file(_ name: String) -> String { "\(hosts == .other ? agent?.home ?? "" : folder.path)/\(name)" }

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
