import Logging
import HostClock
import HypervisorAPI
import QMP
import Time

/// Stops machines at an instant and saves them. They stay alive, paused, until commit or rollback.
actor SuspendOperation: HostOperation {
    private struct Saving: Sendable {
        var machine: LifetimeManager
        var saving: MachineSaving
    }

    /// To a common instant for going on again, when the agreed one is past.
    private static let continueTime = Span.milliseconds(60)
    /// A machine whose monitor is slower than this does not hold up the others' going on.
    private static let patience = Span.seconds(1)
    /// One that takes longer hangs; whoever told the rollback tells it again.
    private static let longPatience = Span.seconds(5)

    nonisolated let stages: StageLog
    nonisolated let entry: JournalEntry
    private let folder: String
    private let machines: [LifetimeManager]
    private let surroundings: Surroundings
    /// Tells the books that a machine is no more.
    private let retire: @Sendable (MachineName) async -> Void
    private var savings: [Saving] = []
    private var armed: Chorus?

    init(
        entry: JournalEntry,
        folder: String,
        machines: [LifetimeManager],
        surroundings: Surroundings,
        retire: @escaping @Sendable (MachineName) async -> Void
    ) {
        stages = StageLog(clock: surroundings.clock)
        self.entry = entry
        self.folder = folder
        self.machines = machines
        self.surroundings = surroundings
        self.retire = retire
    }

    func obstacles() async -> [Reason] {
        await SaveObstacles.all(to: machines, of: entry.simulation, into: folder, in: surroundings)
    }

    func prepare() async throws(HypervisorError) -> Span {
        let armingTime = surroundings.stopPace.planned(machines: machines.count)
        let obstacles = await obstacles() + surroundings.obstacles(to: entry.instant, within: armingTime)
        guard obstacles.isEmpty else { throw HypervisorError(obstacles) }
        // A folder that is somebody else's is refused here, and not removed below.
        try CheckpointFolder(path: folder).create(machines: machines.map(\.name.machine), final: entry.finalFolder)
        do throws(HypervisorError) {
            try surroundings.journal.begin(entry)
            let (folder, store) = (folder, surroundings.ram)
            let prepared = await machines.gatherResults { (machine) async throws(HypervisorError) in
                let saving = try await MachineSaving.prepare(machine, into: folder, store: store)
                return Saving(machine: machine, saving: saving)
            }
            savings = prepared.compactMap { try? $0.get() }
            try prepared.throwReasons()
        } catch {
            await cancel()
            throw error
        }
        return armingTime
    }

    func cancel() async {
        for saving in savings { await saving.saving.release() }
        removeWhatWasSaved()
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
        _ = try await machines.gather { (machine) async throws(HypervisorError) in
            try await machine.end(keepingRAM: machine.record.memory?.shared == true)
        }
        for machine in machines { await retire(machine.name) }
        try await surroundings.releaseResources(of: entry.simulation)
        if let final = entry.finalFolder { try CheckpointFolder(path: folder).move(to: final) }
        try surroundings.journal.remove(entry.operation)
    }

    func rollback(continueAt instant: HostInstant) async throws(HypervisorError) {
        surroundings.noteRollback(of: entry)
        let alive = machines.filter(\.isAlive)
        let prompt = try await goOn(alive, at: instant, patience: Self.patience)
        let slow = alive.filter { machine in !prompt.contains(machine.name.machine) }
        let late = try await goOn(slow, at: instant, patience: Self.longPatience)
        let silent = slow.filter { machine in !late.contains(machine.name.machine) }
        guard silent.isEmpty else {
            throw HypervisorError(
                silent.map { machine in
                    Reason(
                        code: "machine-unreachable",
                        machine: machine.name.machine,
                        message:
                            "its QEMU, process \(machine.record.identity.pid), does not answer and could not be told to go on"
                    )
                }
            )
        }
        removeWhatWasSaved()
    }

    /// It was told to commit, so the checkpoint is whole and machines may be gone already.
    func happened() async -> Bool { entry.phase == .committing }

    /// - Parameter patience: with each monitor.
    /// - Returns: the machines that answered in time.
    /// - Throws: why a machine that answered does not go on.
    private func goOn(
        _ machines: [LifetimeManager],
        at instant: HostInstant,
        patience: Span
    ) async throws(HypervisorError) -> [String] {
        let savings = savings
        let found = await machines.gatherResults { (machine) async throws(HypervisorError) -> Bool? in
            let saving = savings.first { $0.machine === machine }?.saving
            let look = { @Sendable () async -> Result<Bool, HypervisorError> in
                await saving?.release()
                do throws(HypervisorError) {
                    return .success(try await machine.prepareToContinue())
                } catch {
                    return .failure(error)
                }
            }
            return try await withTimeLimit(patience, look)?.get()
        }
        var failures = found.flatMap { result -> [Reason] in
            if case .failure(let error) = result { error.reasons } else { [] }
        }
        let standing = zip(machines, found).filter { (try? $0.1.get()) == .some(true) }.map(\.0)
        failures += await Continuation.goOn(standing, at: instant, lead: Self.continueTime, in: surroundings)
            .compactMap(\.failure)
        guard failures.isEmpty else { throw HypervisorError(failures) }
        return zip(machines, found).filter { (try? $0.1.get()) != .some(nil) }.map(\.0.name.machine)
    }

    // MARK: - At the instant and after

    private func run(_ chorus: Chorus, at instant: HostInstant) async -> HypervisorReport {
        let answers: [Chorus.Answer]
        switch await chorus.outcome() {
        case .silent(let reason):
            return report(.missed([reason]), at: instant, answers: [], saved: [])
        case .sung(let sung):
            answers = sung
        }
        for answer in answers {
            guard let sentAt = answer.sentAt, let happenedAt = answer.happenedAt else { continue }
            stages.add(
                Stage(machine: answer.machine, name: "stop", startedAt: sentAt, duration: happenedAt - sentAt)
            )
        }
        let failures = answers.compactMap(\.failure)
        guard failures.isEmpty else { return report(.failed(failures), at: instant, answers: answers, saved: []) }
        do throws(HypervisorError) {
            return try await save(answers, at: instant)
        } catch {
            return report(.failed(error.reasons), at: instant, answers: answers, saved: [])
        }
    }

    private func save(_ answers: [Chorus.Answer], at instant: HostInstant) async throws(HypervisorError)
        -> HypervisorReport
    {
        let stopped = Dictionary(uniqueKeysWithValues: answers.map { ($0.machine, $0.happenedAt ?? instant) })
        let folder = folder
        let stages = stages
        let host = surroundings.host
        let records = machines.map(\.record)
        // What a stopped machine takes from its link into a buffer of its own belongs to its state; what stays in the link, not.
        let restless = await stages.measure("links") { await LinkLeftovers.settleAll(machines) }
        let saved = try await savings.gather { (saving) async throws(HypervisorError) in
            let name = saving.machine.name.machine
            do throws(HypervisorError) {
                return try await saving.saving.save(stoppedAt: stopped[name] ?? instant, host: host, stages: stages)
            } catch {
                throw error.of(name)
            }
        }
        let found = await LinkLeftovers.collectAll(records)
        let links = try await stages.measure("links") { () async throws(HypervisorError) in
            try await CheckpointFolder(path: folder).saveLinks(found)
        }
        try await stages.measure("sync") { () async throws(HypervisorError) in
            try await CheckpointFolder(path: folder).syncAll()
        }
        return report(
            .done,
            at: instant,
            answers: answers,
            saved: saved,
            links: links,
            notes: restless + found.flatMap(\.notes)
        )
    }

    private func report(
        _ outcome: HypervisorReport.Outcome,
        at instant: HostInstant,
        answers: [Chorus.Answer],
        saved: [MachineCheckpoint],
        links: [LinkCheckpoint] = [],
        notes: [String] = []
    ) -> HypervisorReport {
        HypervisorReport(
            operation: entry.operation,
            kind: .suspend,
            host: surroundings.host,
            instant: instant,
            outcome: outcome,
            machines: answers.map { answer in
                let saved = saved.first { $0.name == answer.machine }
                return MachineReport(
                    answer,
                    instant: instant,
                    clock: saved?.clock,
                    saved: saved,
                    stages: stages.stages(of: answer.machine),
                    notes: saved?.imagesLeftInPlace ?? []
                )
            },
            links: links,
            clockErrorBound: surroundings.clockErrorBound,
            notes: notes + surroundings.precisionNotes
        )
    }

    private func removeWhatWasSaved() {
        do throws(HypervisorError) {
            try CheckpointFolder(path: folder).removeUnfinished(surroundings.ram)
            try surroundings.journal.remove(entry.operation)
        } catch {
            surroundings.logger.error("left something behind: \(error)", metadata: ["operation": "\(entry.operation)"])
        }
    }
}
