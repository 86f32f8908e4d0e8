import Logging
import HostClock
import GuestClock
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// Starts machines, from nothing or from a checkpoint, and lets them all go at an instant.
actor LaunchOperation: HostOperation {
    /// From arming to the first command, and for a loaded machine to settle.
    private static let armingTime = Span.milliseconds(100)

    nonisolated let stages: StageLog
    nonisolated let entry: JournalEntry
    private let plan: LaunchOrder
    private let surroundings: Surroundings
    private let books: LaunchBooks
    private var cables: LinkCables?
    private var launched: [MachineLaunch] = []
    private var armed: Chorus?
    private var drain: SerialDrain?

    init(entry: JournalEntry, plan: LaunchOrder, surroundings: Surroundings, books: LaunchBooks) {
        stages = StageLog(clock: surroundings.clock)
        self.entry = entry
        self.plan = plan
        self.surroundings = surroundings
        self.books = books
    }

    func obstacles() async -> [Reason] {
        do throws(HypervisorError) {
            _ = try await plan.candidates(probe: surroundings.probe)
            return []
        } catch {
            return error.reasons
        }
    }

    func prepare() async throws(HypervisorError) -> Span {
        let (plan, stages, surroundings) = (plan, stages, surroundings)
        // Nothing is taken before the checkpoint is known to be good.
        let sources = try await plan.candidates(probe: surroundings.probe)
        try surroundings.journal.write(entry)
        do throws(HypervisorError) {
            try await stages.measure("resources") { () async throws(HypervisorError) in
                try await surroundings.resources(of: entry.simulation).acquire(plan.simulation.resources)
            }
            let cables = try LinkCables(plan.simulation.links, traffic: plan.traffic())
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
        return Self.armingTime + (launched.map(\.finishTime).max() ?? .zero)
    }

    func cancel() async {
        do throws(HypervisorError) {
            try await undo()
        } catch {
            surroundings.logger.error("operation \(entry.operation) left something behind: \(error)")
        }
    }

    func arm(at instant: HostInstant) async throws(HypervisorError) -> @Sendable () async -> HypervisorReport {
        try surroundings.journal.write(entry.noting(.armed, at: instant))
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
        return { await self.run(chorus, at: instant) }
    }

    func disarm() { armed?.cancel() }

    func commit() async throws(HypervisorError) {
        // One that a daemon before this one armed: it may have died between the first machine's command and the last one's.
        if armed == nil { try await goOn() }
        try surroundings.journal.remove(entry.operation)
    }

    func rollback(continueAt instant: HostInstant) async throws(HypervisorError) {
        try await undo()
    }

    func happened() async -> Bool {
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
            for answer in answers {
                guard let sentAt = answer.sentAt, let happenedAt = answer.happenedAt else { continue }
                stages.add(
                    Stage(machine: answer.machine, name: "cont", startedAt: sentAt, duration: happenedAt - sentAt)
                )
            }
            let failures = answers.compactMap(\.failure)
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
                return MachineReport(
                    answer,
                    instant: instant,
                    clock: launch?.clockAfter(happenedAt: answer.happenedAt ?? instant),
                    clockBefore: launch?.source.checkpoint?.clock,
                    ram: launch?.ram,
                    stages: stages.stages(of: answer.machine),
                    notes: launch?.notes ?? []
                )
            },
            clockErrorBound: surroundings.clockErrorBound,
            notes: surroundings.precisionNotes
        )
    }

    /// Ends every process that this operation started, whether or not its record was written in time.
    private func undo() async throws(HypervisorError) {
        let simulation = entry.simulation
        cables = nil
        drain = nil
        for launch in launched { await launch.machine.letGo() }
        let surroundings = surroundings
        _ = try await entry.machines.gather { (machine) async throws(HypervisorError) in
            try await RunFolder(path: surroundings.runFolder(of: MachineName(simulation: simulation, machine: machine)))
                .endStrays()
        }
        for machine in await books.machines(entry.machines) {
            try await machine.end()
            await books.remove(machine.name)
        }
        for machine in entry.machines {
            try RunFolder(path: surroundings.runFolder(of: MachineName(simulation: simulation, machine: machine)))
                .remove()
        }
        try await surroundings.releaseResources(of: simulation)
        try surroundings.journal.remove(entry.operation)
    }
}
