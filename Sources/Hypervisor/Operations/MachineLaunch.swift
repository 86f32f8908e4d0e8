import HostClock
import FoundationEssentials
import GuestClock
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// One machine on its way from nothing, or from a checkpoint, to the instant at which it runs.
struct MachineLaunch: Sendable {
    /// From a failed load to QEMU's end, of itself.
    private static let endTime = Span.seconds(2)

    let source: LaunchOrder.Candidate
    let machine: LifetimeManager
    private let loader: (any StateLoader)?
    private let clocks: GuestClocks?
    private let policy: ClockPolicy
    private let scope: ClockScope
    /// What the new process was told of time; nil for a machine that starts from nothing.
    private let settings: ClockSettings?
    private let ramNotes: [String]
    /// For the agreed instant; nil before it is known.
    private var plan: ClockPlan?

    var finishTime: Span { loader?.finishTime ?? .zero }

    var ram: (way: RAMWay, bytes: UInt64)? {
        source.checkpoint.map { ($0.ramWay, $0.ram?.bytes ?? $0.state.bytes) }
    }

    var notes: [String] { ramNotes + (plan?.notes ?? []) }

    /// Starts the process, which then waits for ``preload(stages:)`` or the instant.
    static func launch(
        _ source: LaunchOrder.Candidate,
        plan order: LaunchOrder,
        cables: LinkCables,
        provisionalInstant: HostInstant,
        stages: StageLog,
        surroundings: Surroundings
    ) async throws(HypervisorError) -> MachineLaunch {
        let name = MachineName(simulation: order.simulation.name, machine: source.spec.name)
        let folder = surroundings.runFolder(of: name)
        try RunFolder(path: folder).create(surroundings.ram)
        let logFolder = surroundings.logFolder(of: name)
        try RunFolder.make(logFolder)

        let clocks = try source.clocks()
        let settings = try source.settings(
            clocks,
            order.policy,
            order.scope,
            at: provisionalInstant,
            processStart: surroundings.clock.now()
        )
        let provision = try await stages.measure("ram", of: name.machine) { () async throws(HypervisorError) in
            try await RAMProvision.provide(
                source,
                use: order.ram,
                checkpointFolder: order.folder,
                runFolder: folder,
                store: surroundings.ram
            )
        }
        let disks = try await source.makeDisks(in: folder, checkpointFolder: order.folder, layers: surroundings.disks)
        let launched = try await stages.measure("launch", of: name.machine) { () async throws(HypervisorError) in
            try await source.start(
                in: folder,
                logFolder: logFolder,
                simulation: order.simulation,
                memory: provision.memory,
                disks: disks,
                settings: settings,
                cables: cables,
                launcher: surroundings.launcher
            )
        }
        let machine = LifetimeManager(record: launched.record, surroundings: surroundings, monitor: launched.monitor)
        var loader: (any StateLoader)?
        if let state = source.state, let checkpoint = source.checkpoint {
            loader = checkpoint.ramWay.loader(of: state, into: launched.monitor, scratch: "\(folder)/state.qemu")
        }
        return MachineLaunch(
            source: source,
            machine: machine,
            loader: loader,
            clocks: clocks,
            policy: order.policy,
            scope: order.scope,
            settings: settings == nil ? nil : launched.record.launch.clock,
            ramNotes: provision.note.map { [$0] } ?? []
        )
    }

    /// Loads what can be loaded before the instant is known.
    func preload(stages: StageLog) async throws(HypervisorError) {
        guard let loader, let state = source.state else { return }
        try await stages.measure("load", of: machine.name.machine, bytes: state.stream.deviceStateOffset) {
            () async throws(HypervisorError) in
            do throws(HypervisorError) {
                try await loader.preload()
            } catch {
                throw await refusal(error)
            }
        }
    }

    /// The machine complete and paused, its clocks such that they are right when it goes on at `instant`.
    func loaded(for instant: HostInstant, loadAt: HostInstant, stages: StageLog) async throws(HypervisorError)
        -> MachineLaunch
    {
        guard let loader, let clocks, let state = source.state else { return self }
        var loaded = self
        let plan: ClockPlan
        let patches: PatchSet
        do {
            plan = try clocks.plan(policy: policy, scope: scope, resumeAt: instant, loadAt: loadAt, launched: settings)
            patches = try PatchSet(plan.patches, for: state.stream)
        } catch {
            throw HypervisorError(code: "clock-policy-impossible", message: "\(error)")
        }
        loaded.plan = plan
        try await stages.measure("patch", of: machine.name.machine) { () async throws(HypervisorError) in
            do throws(HypervisorError) {
                try await loader.finish(patches)
            } catch {
                throw await refusal(error)
            }
        }
        return loaded
    }

    /// A state that is as it was saved, and that QEMU says it cannot load, is of another machine than the one that was launched.
    private func refusal(_ error: HypervisorError) async -> HypervisorError {
        guard error.reasons.contains(where: { $0.code == "migration-failed" }) else { return error }
        // QEMU ends after a failed load, and what it said last is why.
        _ = await machine.record.identity.waitForExit(timeout: Self.endTime)
        let words = machine.record.log.flatMap { Launcher.lastWords(in: $0, lines: 3) }
        return HypervisorError(
            code: "checkpoint-incompatible",
            message: "\(source.facts.path) refuses the saved state: \(words ?? error.reasons[0].message)"
        )
    }

    /// What the clocks read when the machine went on: those that follow the host have run on by its lateness.
    func clockAfter(happenedAt: HostInstant) -> ClockState? {
        plan?.state(resumedAt: happenedAt)
    }
}

extension LaunchOrder.Candidate {
    func clocks() throws(HypervisorError) -> GuestClocks? {
        guard let checkpoint, let state else { return nil }
        return try state.clocks(launch: checkpoint.launch, stoppedAt: checkpoint.stoppedAt)
    }

    /// What the new process is to be told of time. Also finds out whether the policy can be had at all.
    func settings(
        _ clocks: GuestClocks?,
        _ policy: ClockPolicy,
        _ scope: ClockScope,
        at instant: HostInstant,
        processStart: HostInstant
    ) throws(HypervisorError) -> ClockSettings? {
        guard let clocks else { return nil }
        do throws(ClockError) {
            let settings = try clocks.launchSettings(
                policy: policy,
                scope: scope,
                resumeAt: instant,
                processStart: processStart,
                qemu: facts.release
            )
            _ = try clocks.plan(policy: policy, scope: scope, resumeAt: instant, launched: settings)
            return settings
        } catch {
            throw HypervisorError(code: "clock-policy-impossible", message: "\(error)")
        }
    }

    func start(
        in folder: String,
        logFolder: String,
        simulation: SimulationSpec,
        memory: MachineRecord.Memory?,
        disks: [MachineRecord.RunningDisk],
        settings: ClockSettings?,
        cables: LinkCables,
        launcher: Launcher
    ) async throws(HypervisorError) -> LaunchedMachine {
        guard let pinned = checkpoint?.launch.pinnedMachineType ?? facts.pinnedMachineType(spec.machineType) else {
            throw HypervisorError(
                code: "machine-type-unknown",
                message: "\(facts.path) has no machine '\(spec.machineType)'; see `\(facts.path) -machine help`"
            )
        }
        let attachments = LaunchPlan.attachments(of: spec.name, links: simulation.links)
        let plan = LaunchPlan(
            simulation: simulation.name,
            spec: spec,
            facts: facts,
            folder: folder,
            disks: disks,
            attachments: attachments,
            incoming: checkpoint != nil,
            rtcBase: settings?.base ?? LaunchPlan.rtcBase(for: spec.rtc),
            pinnedMachineType: pinned,
            adoptedArguments: checkpoint?.launch.adoptedArguments,
            memory: memory,
            logFolder: logFolder
        )
        return try await launcher.launch(plan, inherited: LinkPair.inherited(by: attachments, from: cables.pairs))
    }

    func makeDisks(
        in folder: String,
        checkpointFolder: String,
        layers: DiskLayers
    ) async throws(HypervisorError) -> [MachineRecord.RunningDisk] {
        guard let checkpoint else { return try await layers.makeDisks(for: spec.disks, in: folder) }
        return try await layers.makeDisks(
            on: checkpoint.disks,
            checkpointFolder: checkpointFolder,
            specs: spec.disks,
            in: folder
        )
    }
}
