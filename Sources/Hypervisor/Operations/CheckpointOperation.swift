import HostClock
import HypervisorAPI
import Logging
import QMP
import Time

/// Saves machines as they are at an instant and lets them go on, all at a second one, as soon as nothing that they do can change what
/// is saved: their disks have new layers, and QEMU saves each page of RAM before the guest writes it.
actor CheckpointOperation: HostOperation {
    private struct Part: Sendable {
        var machine: LifetimeManager
        var saving: MachineSaving
        var layers: [LayerSwitch]
        /// For the report: what made this machine stand still for longer than others.
        var notes: [String]
    }

    /// A part that was written as far as it had to stand still for that.
    private struct Written: Sendable {
        var part: Part
        var events: QMPEvents
        /// Nothing moved in its links any more when it was saved.
        var isAtRest: Bool
    }

    /// From here to the instant at which the machines go on; they stand still meanwhile, and it is missed by no more than it takes.
    private static let goingOnTime = Span.milliseconds(2)
    /// Before a named instant, for what comes after RAM was brought in: layers, arming, and a busy host.
    private static let timeToArm = Span.milliseconds(500)

    nonisolated let stages: StageLog
    nonisolated let entry: JournalEntry
    private let folder: String
    private let machines: [LifetimeManager]
    private let surroundings: Surroundings
    private var parts: [Part] = []
    private var armed: Chorus?

    init(
        entry: JournalEntry,
        folder: String,
        machines: [LifetimeManager],
        surroundings: Surroundings
    ) {
        stages = StageLog(clock: surroundings.clock)
        self.entry = entry
        self.folder = folder
        self.machines = machines
        self.surroundings = surroundings
    }

    func obstacles() async -> [Reason] {
        let obstacles = await SaveObstacles.all(to: machines, of: entry.simulation, into: folder, in: surroundings)
        let unlayered = await machines.gatherResults { (machine) async throws(HypervisorError) in
            try await Self.unlayered(machine)
        }
        return obstacles + unlayered.flatMap { (try? $0.get()) ?? [] }
    }

    func prepare() async throws(HypervisorError) -> Span {
        let armingTime = surroundings.stopPace.planned(machines: machines.count)
        let obstacles = await obstacles() + surroundings.obstacles(to: entry.instant, within: armingTime)
        guard obstacles.isEmpty else { throw HypervisorError(obstacles) }
        // A folder that is somebody else's is refused here, and not removed below.
        try CheckpointFolder(path: folder).create(machines: machines.map(\.name.machine), final: entry.finalFolder)
        do throws(HypervisorError) {
            try surroundings.journal.begin(entry)
            let (folder, operation, layers, store) = (folder, entry.operation, surroundings.disks, surroundings.ram)
            let finalFolder = entry.finalFolder ?? folder
            let (stages, clock, instant) = (stages, surroundings.clock, entry.instant)
            let prepared = await machines.gatherResults { (machine) async throws(HypervisorError) in
                do throws(HypervisorError) {
                    var part = try await Self.prepare(machine, folder, finalFolder, operation, layers, store)
                    let shortfall = await part.saving.bringInRAM(stages: stages) {
                        instant.map { clock.now() + Self.timeToArm < $0 } ?? true
                    }
                    if let shortfall { part.notes.append(shortfall) }
                    return part
                } catch {
                    throw error.of(machine.name.machine)
                }
            }
            parts = prepared.compactMap { try? $0.get() }
            try prepared.throwReasons()
        } catch {
            await cancel()
            throw error
        }
        return armingTime
    }

    func cancel() async {
        do throws(HypervisorError) {
            try await undo()
        } catch {
            surroundings.logger.error("left something behind: \(error)", metadata: ["operation": "\(entry.operation)"])
        }
    }

    func arm(at instant: HostInstant) async throws(HypervisorError) -> @Sendable () async -> HypervisorReport {
        let began = surroundings.clock.now()
        try surroundings.journal.note(entry.noting(.armed, at: instant))
        let chorus = try await Chorus.arm(
            .stop,
            for: machines,
            at: instant,
            flexible: entry.instant == nil,
            in: surroundings
        )
        armed = chorus
        surroundings.stopPace.learn(surroundings.clock.now() - began, machines: machines.count)
        return { await self.run(chorus, at: instant) }
    }

    func disarm() { armed?.cancel() }

    func commit() async throws(HypervisorError) {
        try surroundings.journal.note(entry.noting(.committing))
        for machine in machines where machine.isAlive {
            let record = machine.record
            let switches = LayerSwitch.all(of: record, in: entry.operation).filter { !$0.isDone }
            guard !switches.isEmpty else { continue }
            try await machine.replaceDisks(
                with: record.disks.map { disk in switches.first { $0.below == disk }?.above ?? disk }
            )
        }
        // The checkpoint has a name of its own for each lower layer; QEMU has them open.
        for machine in machines where machine.isAlive {
            RunFolder(path: machine.record.folder).removeLayers(except: machine.record.disks.map(\.path))
        }
        if let final = entry.finalFolder { try CheckpointFolder(path: folder).move(to: final) }
        try surroundings.journal.remove(entry.operation)
    }

    func rollback(continueAt instant: HostInstant) async throws(HypervisorError) {
        surroundings.noteRollback(of: entry)
        try await undo()
    }

    /// It was told to commit, so the checkpoint is whole.
    func happened() async -> Bool { entry.phase == .committing }

    /// What the machine writes besides layers of our own: an adopted machine's images, drives in its raw arguments.
    private static func unlayered(_ machine: LifetimeManager) async throws(HypervisorError) -> [Reason] {
        let record = machine.record
        let layers = Set(record.disks.filter { !$0.readOnly && $0.ownLayer }.map(\.nodeName))
        let monitor = try await machine.monitor()
        let written: [BlockNode]
        do throws(QMPError) {
            written = try await monitor.queryBlock().compactMap(\.inserted).filter { !$0.isReadOnly }
        } catch {
            throw HypervisorError(error, machine: record.name)
        }
        return written.filter { !layers.contains($0.nodeName) }.map { node in
            Reason(
                code: "disk-not-layered",
                machine: record.name,
                message: "it writes \(node.file) itself, which cannot be frozen while it runs on; suspend it instead"
            )
        }
    }

    private static func prepare(
        _ machine: LifetimeManager,
        _ folder: String,
        _ finalFolder: String,
        _ operation: OperationID,
        _ layers: DiskLayers,
        _ store: RAMStore
    ) async throws(HypervisorError) -> Part {
        let record = machine.record
        let monitor = try await machine.monitor()
        let saving = try await MachineSaving.prepare(machine, into: folder, store: store, goingOn: true)
        let switches = LayerSwitch.all(of: record, in: operation)
        do throws(HypervisorError) {
            for item in switches {
                let name = "machines/\(record.name)/disk-\(item.below.id).\(item.below.format)"
                try await item.prepare(on: "\(finalFolder)/\(name)", layers: layers, monitor: monitor)
            }
        } catch {
            await saving.release()
            throw error
        }
        let notes = saving.obstacle.map { ["it stood still while its RAM was saved: \($0)"] } ?? []
        return Part(machine: machine, saving: saving, layers: switches, notes: notes)
    }

    // MARK: - At the instant and after

    private func run(_ chorus: Chorus, at instant: HostInstant) async -> HypervisorReport {
        let answers: [Chorus.Answer]
        switch await chorus.outcome() {
        case .silent(let reason):
            return report(.missed([reason]), at: instant, stopped: [], on: [], saved: [])
        case .sung(let sung):
            answers = sung
        }
        var failures = answers.compactMap(\.failure)
        var written: [Written] = []
        var found: [LinkLeftovers.Found] = []
        if failures.isEmpty {
            do throws(HypervisorError) {
                written = try await write()
                found = await LinkLeftovers.collectAll(machines.map(\.record))
            } catch {
                failures += error.reasons
            }
        }
        // Whatever came of it. A machine whose RAM is protected, and never will be written, would wait at the first page it writes.
        let savings = parts.map(\.saving)
        if !failures.isEmpty { for saving in savings { saving.giveUp() } }
        let on = await Continuation.goOn(
            machines.filter(\.isAlive),
            at: instant,
            lead: Self.goingOnTime,
            in: surroundings,
            leaving: { for saving in savings { saving.letWrite() } }
        )
        failures += on.compactMap(\.failure)
        for (name, answers) in [("stop", answers), ("cont", on)] {
            for answer in answers {
                guard let sentAt = answer.sentAt, let at = answer.happenedAt else { continue }
                stages.add(Stage(machine: answer.machine, name: name, startedAt: sentAt, duration: at - sentAt))
            }
        }
        guard failures.isEmpty else {
            return report(.failed(failures), at: instant, stopped: answers, on: on, saved: [])
        }
        do throws(HypervisorError) {
            let saved = try await seal(written, stopped: answers, at: instant)
            let folder = CheckpointFolder(path: folder)
            let links = try await stages.measure("links") { () async throws(HypervisorError) in
                try await folder.saveLinks(found)
            }
            try await stages.measure("sync") { () async throws(HypervisorError) in try await folder.syncAll() }
            return report(
                .done,
                at: instant,
                stopped: answers,
                on: on,
                saved: saved,
                links: links,
                notes: found.flatMap(\.notes)
                    + written.filter { !$0.isAtRest }.map {
                        "something still moved in the links of \($0.part.machine.name.machine) when it was saved"
                    }
            )
        } catch {
            return report(.failed(error.reasons), at: instant, stopped: answers, on: on, saved: [])
        }
    }

    private func write() async throws(HypervisorError) -> [Written] {
        let stages = stages
        return try await parts.gather { (part) async throws(HypervisorError) in
            let record = part.machine.record
            do throws(HypervisorError) {
                // What a stopped machine still takes from its links into buffers of its own belongs to its state.
                async let settled = LinkLeftovers.settle(part.machine, timeout: .milliseconds(100))
                try await LayerSwitch.perform(part.layers, monitor: try await part.machine.monitor())
                let isAtRest = await settled
                return Written(
                    part: part,
                    events: try await part.saving.writeStanding(stages: stages),
                    isAtRest: isAtRest
                )
            } catch {
                throw error.of(record.name)
            }
        }
    }

    private func seal(
        _ written: [Written],
        stopped: [Chorus.Answer],
        at instant: HostInstant
    ) async throws(HypervisorError) -> [MachineCheckpoint] {
        let (stages, host) = (stages, surroundings.host)
        return try await written.gather { (item) async throws(HypervisorError) in
            let name = item.part.machine.name.machine
            let stoppedAt = stopped.first { $0.machine == name }?.happenedAt ?? instant
            do throws(HypervisorError) {
                try await item.part.saving.writeRest(item.events, stages: stages)
                await item.part.saving.release()
                return try await item.part.saving.seal(stoppedAt: stoppedAt, host: host, stages: stages)
            } catch {
                throw error.of(name)
            }
        }
    }

    private func report(
        _ outcome: HypervisorReport.Outcome,
        at instant: HostInstant,
        stopped: [Chorus.Answer],
        on: [Chorus.Answer],
        saved: [MachineCheckpoint],
        links: [LinkCheckpoint] = [],
        notes: [String] = []
    ) -> HypervisorReport {
        HypervisorReport(
            operation: entry.operation,
            kind: entry.kind,
            host: surroundings.host,
            instant: instant,
            outcome: outcome,
            machines: stopped.map { answer in
                let saved = saved.first { $0.name == answer.machine }
                let part = parts.first { $0.machine.name.machine == answer.machine }
                var report = MachineReport(
                    answer,
                    instant: instant,
                    clock: saved?.clock,
                    saved: saved,
                    stages: stages.stages(of: answer.machine),
                    notes: part?.notes ?? []
                )
                report.continuedAt = on.first { $0.machine == answer.machine }?.happenedAt
                report.savedWhile = part?.saving.savedWhile
                return report
            },
            links: links,
            clockErrorBound: surroundings.clockErrorBound,
            notes: notes + surroundings.precisionNotes
        )
    }

    /// All machines run, on the layers that they had, and nothing of the checkpoint is left.
    private func undo() async throws(HypervisorError) {
        let (parts, operation) = (parts, entry.operation)
        let found = await machines.filter(\.isAlive).gatherResults {
            (machine) async throws(HypervisorError) -> LifetimeManager? in
            await parts.first { $0.machine === machine }?.saving.release()
            return try await machine.prepareToContinue() ? machine : nil
        }
        let standing = found.compactMap { (try? $0.get()) ?? nil }
        let on = await Continuation.goOn(
            standing,
            at: surroundings.clock.now(),
            lead: Self.goingOnTime,
            in: surroundings
        )
        // Before the layers are committed into the lower ones: those have a second name in there, and room may be short. The machines
        // have them by the names in their run folders.
        try CheckpointFolder(path: folder).removeUnfinished(surroundings.ram)
        let results = await machines.filter(\.isAlive).gatherResults { (machine) async throws(HypervisorError) in
            try await LayerSwitch.undo(
                LayerSwitch.all(of: machine.record, in: operation),
                monitor: try await machine.monitor()
            )
        }
        var failures = on.compactMap(\.failure)
        for result in found { if case .failure(let error) = result { failures += error.reasons } }
        for result in results { if case .failure(let error) = result { failures += error.reasons } }
        guard failures.isEmpty else { throw HypervisorError(failures) }
        try surroundings.journal.remove(entry.operation)
    }
}
