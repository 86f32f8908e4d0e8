import GuestClock
import MigrationStream
import Testing
import Time

/// One machine, stopped, saved and ended; the clocks' state is then loaded again and again, each time by another policy.
struct ClockTrial: Sendable {
    let board: ClockBoard
    let release: QEMUUnderTest
    let clock: RTCClockSource
    let folder: TemporaryFolder
    let settings: ClockSettings
    let machine: [String]
    /// Between these its clocks stopped: how long the virtual clock stands still before QEMU stamps STOP depends on how soon it has its
    /// processors back.
    let stopped: (from: HostInstant, to: HostInstant)
    /// When the devices' state was written: between these.
    let savedAfter: HostInstant
    let savedAt: HostInstant
    /// What the guest read while it ran, for the last time.
    let running: GuestReading
    /// What it read while it was paused; nil where it cannot.
    let paused: GuestReading?
    let runningCounter: GuestReading?
    /// While it was paused; of guest code, what it wrote last.
    let pausedCounter: GuestReading?
    let stream: CheckpointStream
    let clocks: GuestClocks

    var stoppedAt: HostInstant { stopped.to }

    var checkpoint: String { folder.file("checkpoint") }

    /// Whether the device clock stands still while the machine does.
    var standsStill: Bool { clock == .vm || board.alwaysVirtual }

    static func begin(
        _ board: ClockBoard,
        release: QEMUUnderTest,
        clock: RTCClockSource,
        binary: String,
        fixedBase: Bool? = nil
    ) async throws -> ClockTrial {
        let folder = try TemporaryFolder()
        let fixedBase = fixedBase ?? (clock == .vm)
        let machine = try board.launchArguments(release, folder: folder)
        let rtc = "base=\(fixedBase ? "2024-02-29T12:00:00" : "utc"),clock=\(clock.rawValue)"
        var qemu = try await QtestMachine.launch(binary: binary, arguments: machine + ["-rtc", rtc])
        while clock == .host, fixedBase, qemu.startedAfter.wholeSeconds != qemu.startedBefore.wholeSeconds {
            // It counts from the second in which QEMU read its options: that has to be known.
            await qemu.quit()
            try await waitForTheBeginningOfASecond()
            qemu = try await QtestMachine.launch(binary: binary, arguments: machine + ["-rtc", rtc])
        }
        let settings = try ClockSettings(
            arguments: machine + ["-rtc", rtc],
            processStart: qemu.startedAfter,
            qemu: QEMURelease(major: release.major, minor: release.minor),
            hostTSCHz: HostTicks.hertz
        )
        try board.prepare(qemu.qtest)
        // Long enough for the virtual clock to be something else than 0, and its second something else than the host's.
        try await Task.sleep(for: .milliseconds(700))
        let running = try GuestReading { try board.read(qemu.qtest) }
        let runningCounter = try await board.runningCounter(qemu.qtest)
        let stopped = try await qemu.stop()
        let paused = board.readByGuestCode ? nil : try GuestReading { try board.read(qemu.qtest) }
        let pausedCounter = try board.counter.map { read in try GuestReading { try read(qemu.qtest) } }
        let savedAfter = hostNow()
        try await qemu.save(to: folder.file("checkpoint"))
        let savedAt = hostNow()
        await qemu.quit()
        let source = try FileSource(path: folder.file("checkpoint"))
        let stream = try CheckpointStream(reading: source)
        return ClockTrial(
            board: board,
            release: release,
            clock: clock,
            folder: folder,
            settings: settings,
            machine: machine,
            stopped: stopped,
            savedAfter: savedAfter,
            savedAt: savedAt,
            running: running,
            paused: paused,
            runningCounter: runningCounter,
            pausedCounter: pausedCounter,
            stream: stream,
            clocks: try GuestClocks(
                stream: stream,
                source: source,
                settings: settings,
                stoppedAt: stopped.to,
                savedAt: savedAt
            )
        )
    }

    /// Loads the checkpoint by the policy and lets it go on at an instant.
    ///
    /// - Parameter patching: false to load it as it is.
    func resume(
        binary: String,
        policy: ClockPolicy,
        scope: ClockScope,
        patching: Bool = true
    ) async throws -> ClockResumption {
        var lead = Span.milliseconds(800)
        for _ in 0..<5 {
            if let resumption = try await attempt(
                binary: binary,
                policy: policy,
                scope: scope,
                lead: lead,
                patching: patching
            ) {
                return resumption
            }
            // The host was too busy for this instant.
            lead = lead + lead
        }
        throw TestSupportError("\(board.name): the host is too busy to load in time")
    }

    private func attempt(
        binary: String,
        policy: ClockPolicy,
        scope: ClockScope,
        lead: Span,
        patching: Bool
    ) async throws -> ClockResumption? {
        if board.baseOnly, clock == .host { try await Self.waitForTheBeginningOfASecond() }
        let start = hostNow()
        let resumeAt = start + lead
        let launched = try clocks.launchSettings(
            policy: policy,
            scope: scope,
            resumeAt: resumeAt,
            processStart: start
        )
        let qemu = try await QtestMachine.launch(
            binary: binary,
            arguments: machine + ["-rtc", launched.rtcArgument, "-incoming", "defer", "-S"]
        )
        // A base on the host's clock counts from the second in which QEMU reads it.
        if board.baseOnly, clock == .host, qemu.startedBefore.wholeSeconds != start.wholeSeconds { return nil }
        let loadAt = hostNow()
        let plan = try clocks.plan(
            policy: policy,
            scope: scope,
            resumeAt: resumeAt,
            loadAt: loadAt,
            launched: launched
        )
        let patched = try TemporaryFolder()
        var bytes = try TemporaryFolder.contents(of: checkpoint)
        if patching { try PatchSet(plan.patches, for: stream).apply(to: &bytes) }
        try patched.write(bytes, to: "patched")
        try await qemu.load(from: patched.file("patched"))
        let loadedBy = hostNow()
        let paused = standsStill && !board.readByGuestCode ? try GuestReading { try board.read(qemu.qtest) } : nil
        let pausedCounter = try board.counter.map { read in try GuestReading { try read(qemu.qtest) } }
        guard hostNow() + .milliseconds(20) < resumeAt else { return nil }
        try await Task.sleep(for: (resumeAt - hostNow()).duration)
        let resumed = try await qemu.cont()
        // Guest code needs a moment to write what it reads.
        if board.readByGuestCode { try await Task.sleep(for: .milliseconds(100)) }
        let running = try GuestReading { try board.read(qemu.qtest) }
        let runningCounter = try await board.runningCounter(qemu.qtest)
        return ClockResumption(
            qemu: qemu,
            plan: plan,
            resumeAt: resumeAt,
            resumed: resumed,
            loadTook: loadedBy - loadAt,
            paused: paused,
            pausedCounter: pausedCounter,
            running: running,
            runningCounter: runningCounter
        )
    }

    private static func waitForTheBeginningOfASecond() async throws {
        let fraction = hostNow().nanosecondsSinceEpoch % 1_000_000_000
        try await Task.sleep(for: .nanoseconds(1_000_000_000 - fraction + 20_000_000))
    }
}

/// A machine that has gone on.
struct ClockResumption: Sendable {
    let qemu: QtestMachine
    let plan: ClockPlan
    let resumeAt: HostInstant
    /// Between these its clocks began to run.
    let resumed: (from: HostInstant, to: HostInstant)
    let loadTook: Span
    /// What the guest read when it was loaded, on a clock that stands still until it goes on.
    let paused: GuestReading?
    let pausedCounter: GuestReading?
    let running: GuestReading
    let runningCounter: GuestReading?
}

/// What a guest read, and the host's time before and after.
struct GuestReading: Sendable {
    let ns: Int64
    let from: HostInstant
    let to: HostInstant

    init(_ read: () throws -> Int64) throws {
        from = hostNow()
        ns = try read()
        to = hostNow()
    }

    /// A reading with stamps of its own.
    init(ns: Int64, from: HostInstant, to: HostInstant) {
        self.ns = ns
        (self.from, self.to) = (from, to)
    }
}

extension ClockBoard {
    /// Its counter while the machine runs. What guest code wrote last may be as old as its processor was away: the second that is new was
    /// read by the guest since.
    func runningCounter(_ qtest: QtestSocket) async throws -> GuestReading? {
        guard let counter else { return nil }
        guard counterByGuestCode else { return try GuestReading { try counter(qtest) } }
        let from = hostNow()
        var ns = try counter(qtest)
        for _ in 0..<2 {
            let old = ns
            for _ in 0..<20_000 where ns == old {
                try await Task.sleep(for: .milliseconds(1))
                ns = try counter(qtest)
            }
            guard ns != old else { throw TestSupportError("\(name): its guest writes nothing new") }
        }
        return GuestReading(ns: ns, from: from, to: hostNow())
    }
}

extension HostInstant {
    var wholeSeconds: Int64 { nanosecondsSinceEpoch / 1_000_000_000 }
}
