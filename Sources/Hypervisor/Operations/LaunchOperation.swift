import Logging
import HostClock
import GuestClock
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// Starts machines, from nothing or from a checkpoint, and lets them all go at an instant.
actor LaunchOperation: HostOperation {
    /// To arm machines that load nothing.
    private static let startTime = Span.milliseconds(60)

    nonisolated let stages: StageLog
    nonisolated let entry: JournalEntry
    private let plan: LaunchOrder
    private let surroundings: Surroundings
    private let books: LaunchBooks
    private var cables: LinkCables?
    private var launched: [MachineLaunch] = []
    private var armed: Chorus?
    private var drain: SerialDrain?
    /// The command left: RAM that was taken from a checkpoint is not what it was any more.
    private var hasRun = false
    /// Each machine has confirmed that it runs.
    private var allGoOn = false

    init(entry: JournalEntry, plan: LaunchOrder, surroundings: Surroundings, books: LaunchBooks) {
        stages = StageLog(clock: surroundings.clock)
        self.entry = entry
        self.plan = plan
        self.surroundings = surroundings
        self.books = books
    }

    func obstacles() async -> [Reason] {
        do throws(HypervisorError) {
            _ = try await plan.candidates(probe: surroundings.probe, store: surroundings.ram)
            return []
        } catch {
            return error.reasons
        }
    }

    func prepare() async throws(HypervisorError) -> Span {
        let (plan, stages, surroundings) = (plan, stages, surroundings)
        // Nothing is taken before the checkpoint is known to be good.
        let sources = try await plan.candidates(probe: surroundings.probe, store: surroundings.ram)
        try surroundings.journal.begin(entry)
        do throws(HypervisorError) {
            try await stages.measure("resources") { () async throws(HypervisorError) in
                try await surroundings.resources(of: entry.simulation).acquire(plan.simulation.resources)
            }
            let cables = try LinkCables(
                plan.simulation.links,
                among: Set(plan.simulation.machines.map(\.name)),
                traffic: plan.traffic()
            )
            self.cables = cables
            let provisional = plan.instant ?? surroundings.clock.now()
            launched = try await sources.gather { (source) async throws(HypervisorError) in
                do throws(HypervisorError) {
                    return try await MachineLaunch.launch(
                        source,
                        plan: plan,
                        cables: cables,
                        provisionalInstant: provisional,
                        stages: stages,
                        surroundings: surroundings
                    )
                } catch {
                    throw error.of(source.spec.name)
                }
            }
            for launch in launched { await books.add(launch.machine) }
            drain = SerialDrain(launched.flatMap(\.machine.record.serialSockets))
            try await cables.deliver()
            _ = try await launched.gather { (launch) async throws(HypervisorError) in
                do throws(HypervisorError) {
                    try await launch.preload(stages: stages)
                } catch {
                    throw error.of(launch.machine.name.machine)
                }
            }
        } catch {
            await cancel()
            throw error
        }
        guard !plan.checkpoints.isEmpty else { return Self.startTime }
        return surroundings.loadPace.planned(machines: launched.count) + (launched.map(\.finishTime).max() ?? .zero)
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
        let stages = stages
        let now = surroundings.clock.now()
        launched = try await launched.gather { (launch) async throws(HypervisorError) in
            do throws(HypervisorError) {
                return try await launch.loaded(for: instant, loadAt: now, stages: stages)
            } catch {
                throw error.of(launch.machine.name.machine)
            }
        }
        // Whoever else held an end would keep the machines from noticing that a peer is gone.
        cables = nil
        let chorus = try await Chorus.arm(
            .cont,
            for: launched.map(\.machine),
            at: instant,
            flexible: entry.instant == nil,
            in: surroundings
        )
        armed = chorus
        if !plan.checkpoints.isEmpty, launched.allSatisfy({ $0.finishTime == .zero }) {
            surroundings.loadPace.learn(surroundings.clock.now() - began, machines: launched.count)
        }
        return { await self.run(chorus, at: instant) }
    }

    func disarm() { armed?.cancel() }

    func commit() async throws(HypervisorError) {
        for folder in runFolders { RunFolder.unlinkFile(folder.ramLink + CheckpointRAM.originSuffix) }
        // Whoever armed it may have died, and some command may have failed, between the first machine's and the last one's.
        if !allGoOn { try await goOn() }
        try surroundings.journal.remove(entry.operation)
    }

    func rollback(continueAt instant: HostInstant) async throws(HypervisorError) {
        try await undo()
    }

    func happened() async -> Bool {
        // Whoever asked the machines would wait for the instant, which may be hours away.
        if let armed, armed.isWaiting { return false }
        for machine in await books.machines(entry.machines) where (try? await machine.runState()) == .running {
            return true
        }
        return false
    }

    private func goOn() async throws(HypervisorError) {
        let found = try await books.machines(entry.machines).filter(\.isAlive).gather {
            (machine) async throws(HypervisorError) in try await machine.prepareToContinue() ? machine : nil
        }
        let now = surroundings.clock.now()
        let answers = await Continuation.goOn(
            found.compactMap(\.self),
            at: now,
            lead: .milliseconds(60),
            in: surroundings
        )
        let failures = answers.compactMap(\.failure)
        guard failures.isEmpty else { throw HypervisorError(failures) }
    }

    private func run(_ chorus: Chorus, at instant: HostInstant) async -> HypervisorReport {
        let outcome = await chorus.outcome()
        drain = nil
        switch outcome {
        case .silent(let reason):
            return report(.missed([reason]), at: instant, answers: [])
        case .sung(let answers):
            hasRun = true
            for answer in answers {
                guard let sentAt = answer.sentAt, let happenedAt = answer.happenedAt else { continue }
                stages.add(
                    Stage(machine: answer.machine, name: "cont", startedAt: sentAt, duration: happenedAt - sentAt)
                )
            }
            let failures = answers.compactMap(\.failure)
            allGoOn = failures.isEmpty
            return report(failures.isEmpty ? .done : .failed(failures), at: instant, answers: answers)
        }
    }

    private func report(
        _ outcome: HypervisorReport.Outcome,
        at instant: HostInstant,
        answers: [Chorus.Answer]
    ) -> HypervisorReport {
        HypervisorReport(
            operation: entry.operation,
            kind: entry.kind,
            host: surroundings.host,
            instant: instant,
            outcome: outcome,
            machines: answers.map { answer in
                let launch = launched.first { $0.machine.name.machine == answer.machine }
                var report = MachineReport(
                    answer,
                    instant: instant,
                    clock: launch?.clockAfter(happenedAt: answer.happenedAt ?? instant),
                    clockBefore: launch?.source.checkpoint?.clock,
                    ram: launch?.ram,
                    stages: stages.stages(of: answer.machine),
                    notes: launch?.notes ?? []
                )
                report.ramIsView = launch?.machine.record.memory?.shared == false
                return report
            },
            clockErrorBound: surroundings.clockErrorBound,
            notes: surroundings.precisionNotes
        )
    }

    private var runFolders: [RunFolder] {
        entry.machines.map {
            RunFolder(path: surroundings.runFolder(of: MachineName(simulation: entry.simulation, machine: $0)))
        }
    }

    /// Ends every process that this operation started, whether or not its record was written in time. RAM that was taken from the
    /// checkpoint goes back, unless the machine may have run on it.
    private func undo() async throws(HypervisorError) {
        let simulation = entry.simulation
        cables = nil
        drain = nil
        let untouched = await untouchedMachines()
        for launch in launched { await launch.machine.letGo() }
        _ = try await runFolders.gather { (folder) async throws(HypervisorError) in try await folder.endStrays() }
        for folder in runFolders where untouched.contains(folder.machine) {
            CheckpointRAM.giveBack(from: folder.ramLink, surroundings.ram)
        }
        for machine in await books.machines(entry.machines) {
            try await machine.end()
            await books.remove(machine.name)
        }
        for folder in runFolders { try folder.remove(surroundings.ram) }
        try await surroundings.releaseResources(of: simulation)
        try surroundings.journal.remove(entry.operation)
    }

    private func untouchedMachines() async -> Set<String> {
        // Armed by a daemon before this one: only of a machine that still waits is it certain.
        guard armed == nil, entry.phase == .armed else { return hasRun ? [] : Set(entry.machines) }
        var waiting: Set<String> = []
        for machine in await books.machines(entry.machines) {
            if let state = try? await machine.runState(), [.inMigrate, .preLaunch, .paused].contains(state) {
                waiting.insert(machine.name.machine)
            }
        }
        return waiting
    }
}
