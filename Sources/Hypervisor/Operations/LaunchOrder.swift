import GuestClock
import HypervisorAPI
import MigrationStream
import Time

/// A start or resume order in the form that a launch works on: a start is a resume without a checkpoint.
struct LaunchOrder: Sendable {
    /// One machine to launch: how, and from what.
    struct Candidate: Sendable {
        var spec: MachineSpec
        var facts: QEMUFacts
        var checkpoint: MachineCheckpoint?
        var state: StoredState?
    }

    var simulation: SimulationSpec
    var checkpoints: [MachineCheckpoint]
    var links: [LinkCheckpoint]
    var instant: HostInstant?
    /// Of the checkpoint.
    var folder: String
    var policy: ClockPolicy
    var scope: ClockScope
    var ram = RAMUse.keep

    init(_ order: StartOrder) {
        simulation = order.simulation
        checkpoints = []
        links = []
        instant = order.instant
        folder = ""
        policy = .continue
        scope = .rtc
    }

    init(_ order: ResumeOrder) {
        simulation = order.simulation
        checkpoints = order.machines
        links = order.links
        instant = order.instant
        folder = order.folder
        policy = order.policy
        scope = order.scope
        ram = order.ram
    }

    /// Of an operation found in the journal, which will never launch anything any more.
    init(found entry: JournalEntry) {
        simulation = SimulationSpec(name: entry.simulation, machines: [])
        checkpoints = []
        links = []
        folder = ""
        policy = .continue
        scope = .rtc
    }

    /// Looks at every QEMU, every state file, every frozen disk and what was on its way in the links.
    /// - Throws: all that is wrong with them.
    func candidates(probe: QEMUProbe, store: RAMStore) async throws(HypervisorError) -> [Candidate] {
        guard !checkpoints.isEmpty else {
            return try await simulation.machines.gather { (spec) async throws(HypervisorError) in
                do throws(HypervisorError) {
                    let facts = try await probe.facts(of: spec.qemu)
                    // A machine that could never be suspended is refused now, not then.
                    _ = try RAMWay.choose(for: spec, qemuVersion: facts.version)
                    return Candidate(spec: spec, facts: facts)
                } catch {
                    throw error.of(spec.name)
                }
            }
        }
        let folder = CheckpointFolder(path: folder)
        let results = await checkpoints.gatherResults { (checkpoint) async throws(HypervisorError) in
            try await Self.candidate(checkpoint, in: folder, probe, store)
        }
        var problems = ReasonList()
        var candidates: [Candidate] = []
        for result in results {
            if let candidate = problems.attempt({ () throws(HypervisorError) in try result.get() }) {
                candidates.append(candidate)
            }
        }
        _ = problems.attempt { () throws(HypervisorError) in try traffic() }
        try problems.throwIfAny()
        return candidates
    }

    private static func candidate(
        _ checkpoint: MachineCheckpoint,
        in folder: CheckpointFolder,
        _ probe: QEMUProbe,
        _ store: RAMStore
    ) async throws(HypervisorError) -> Candidate {
        var problems = ReasonList(of: checkpoint.name)
        let facts = await problems.attempt { () async throws(HypervisorError) in
            try await probe.facts(of: checkpoint.launch.spec.qemu)
        }
        let state = await problems.attempt { () async throws(HypervisorError) in
            try await folder.state(of: checkpoint)
        }
        if let facts {
            problems.add(checkpoint.obstacles(to: facts, state))
            problems.add(await HostFitness(facts: facts).obstacles(to: checkpoint))
        }
        problems.add(await folder.damage(to: checkpoint.disks))
        problems.attempt { () throws(HypervisorError) in
            if let ram = checkpoint.ram {
                try CheckpointRAM(path: folder.file(ram.path), bytes: ram.bytes).check(store)
            }
        }
        problems.add(await folder.damage(to: checkpoint.launchFiles ?? []))
        try problems.throwIfAny()
        guard let facts, let state else { throw HypervisorError(code: "internal", message: "a reason was lost") }
        return Candidate(spec: checkpoint.launch.spec, facts: facts, checkpoint: checkpoint, state: state)
    }

    /// What was on its way in the links at the suspend.
    func traffic() throws(HypervisorError) -> [LinkTraffic] {
        var traffic: [LinkTraffic] = []
        var problems = ReasonList()
        for link in links {
            guard let spec = simulation.links.first(where: { $0.name == link.link }) else {
                problems.add([
                    Reason(
                        code: "checkpoint-corrupt",
                        message:
                            "the checkpoint has frames of a link '\(link.link)', which the simulation does not have"
                    )
                ])
                continue
            }
            let found = problems.attempt { () throws(HypervisorError) in
                try CheckpointFolder(path: folder).linkTraffic(link, kind: spec.kind)
            }
            traffic += [found].compactMap { $0 }
        }
        try problems.throwIfAny()
        return traffic
    }
}
