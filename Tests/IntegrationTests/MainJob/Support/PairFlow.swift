import ControlInstance
import Glibc
import GuestClock
import HostClock
import HypervisorAPI
import Testing
import Time

/// Two guests with numbered lines between them, step by step: each step begins and ends with both running.
struct PairFlow {
    var lab: Lab
    let spec: SimulationSpec
    var consoles: [String: GuestConsole]
    private var name: String { spec.name }

    init(_ lab: Lab, _ spec: SimulationSpec) async throws {
        self.lab = lab
        self.spec = spec
        let report = try await lab.up(spec)
        try #require(report.outcome == .done, "\(report.reasons)")
        consoles = try await lab.consoles(of: spec.name)
        for console in consoles.values {
            // What comes before that, the firmware and the boot swallow.
            _ = try await console.wait(for: "ready") { $0.event == "ready" }
            try console.tell("every 1")
        }
        try await linesFlow(from: 0)
    }

    /// A clone of it, which runs already.
    init(_ original: PairFlow, as name: String) async throws {
        lab = original.lab
        spec = try await original.lab.control.simulation(named: name).spec
        consoles = try await original.lab.consoles(of: name)
    }

    // MARK: - Steps

    /// The whole round with the clocks as they were.
    mutating func continues() async throws {
        let round = try await jumps("continue", as: "s1", .continue, rtc: .zero, pause: .seconds(3))
        try expectStamps(of: round.suspended)
        try expectStamps(of: round.resumed)
    }

    /// Suspends, lets nothing run for a while, resumes, and compares what the guests say.
    @discardableResult
    mutating func jumps(
        _ step: String,
        as checkpoint: String,
        _ policy: ClockPolicy,
        _ scope: ClockScope = .rtc,
        rtc: Span,
        all clocksource: Span = .zero,
        pause: Span = .milliseconds(300)
    ) async throws -> (suspended: OperationReport, resumed: OperationReport) {
        let before = try await samples("\(step)-before")
        #expect(before["client"]?.record.gaps == 0, "before \(step)")
        let suspended = try await suspend(as: checkpoint)
        try await Task.sleep(for: pause.duration)
        let resumed = try await lab.resume(name, nil, policy, scope)
        try #require(resumed.outcome == .done, "\(step): \(resumed.reasons)")
        consoles = try await lab.consoles(of: name)
        let after = try await samples("\(step)-after")
        for (machine, before) in before {
            let jump = ClockJump(
                before: before,
                after: try #require(after[machine]),
                stoppedAt: try stamp(of: machine, in: suspended),
                resumedAt: try stamp(of: machine, in: resumed)
            )
            jump.expect("\(step), \(machine)", rtc: rtc, clocksource: clocksource)
        }
        try await expectSession(step, since: before["client"])
        try await expectDisks(step)
        return (suspended, resumed)
    }

    /// Monitor and guest tell the same time, and the guest is none the wiser for having been asked.
    func readsClocksLive() async throws {
        for pausing in [false, true] {
            let report = try await lab.control.clocks(of: name, pausing: pausing)
            let after = try await samples("live-\(pausing)")
            #expect(Set(report.machines.map(\.name)) == Set(spec.machines.map(\.name)))
            for machine in report.machines {
                let rtc = try #require(machine.clock.rtcNs, "\(machine.name): \(machine.notes)")
                let sample = try #require(after[machine.name])
                let passed = sample.record.rtcNs - rtc
                let most = (sample.answeredAt - machine.readAt).nanoseconds
                #expect(
                    passed >= -1_000_000_000 && passed <= most + 1_000_000_000,
                    "\(machine.name), pausing \(pausing): RTC \(rtc) at \(machine.readAt), the guest then \(sample)"
                )
                #expect(pausing || machine.pause == .zero)
                if pausing {
                    #expect(machine.clock.readings.contains { $0.kind == .virtual }, "\(machine.clock.readings)")
                }
            }
        }
        let states = try await lab.machines(of: name).values.map(\.state)
        #expect(states.allSatisfy { $0 == .running })
    }

    /// A new daemon finds the machines, and goes on with them as if it had started them.
    func survivesRestart() async throws {
        let before = try await lab.machines(of: name)
        let recovery = try await lab.restart()
        #expect(recovery.problems.isEmpty, "\(recovery.problems)")
        let after = try await lab.machines(of: name)
        #expect(after.mapValues(\.processID) == before.mapValues(\.processID))
        #expect(after.values.allSatisfy { $0.state == .running })
        #expect(try await lab.control.simulation(named: name).summary.state == .running)
    }

    mutating func goesByTheHost() async throws {
        try await suspend(as: "s4")
        try await Task.sleep(for: .seconds(1))
        try await resume("host", nil, .host) { _, resumedAt in resumedAt }
    }

    mutating func isSetTo(_ time: HostInstant) async throws {
        _ = try await lab.control.down(name)
        try await resume("at", "s4", .at(time)) { _, _ in time }
    }

    /// Resuming never writes to a checkpoint: every run of it begins at the same line.
    mutating func startsFromTheSameState(times: Int) async throws {
        let digests = try await lab.digests(of: "s1", name)
        var first: [String: Set<Int64>] = [:]
        for run in 1...times {
            _ = try await lab.control.down(name)
            // One log over all runs: what this run says begins where it ends now.
            let logs = lab.file("logs/\(name)")
            let said = try Dictionary(
                uniqueKeysWithValues: ["server", "client"].map {
                    ($0, try TemporaryFolder.contents(of: "\(logs)/\($0)/serial0.log").count)
                }
            )
            let report = try await lab.resume(name, "s1")
            try #require(report.outcome == .done, "run \(run): \(report.reasons)")
            // Nobody talks to the guests before: the echo of a question can fall into the middle of a line.
            for (machine, length) in said {
                let line = try await firstLine(in: "\(logs)/\(machine)/serial0.log", from: length)
                first[machine, default: []].insert(try #require(line, "run \(run): \(machine)").sequence)
            }
            consoles = try await lab.consoles(of: name)
            let saved = try await samples("run-\(run)")
            try await linesFlow(from: try #require(saved["client"]).record.sequence)
            try await expectDisks("run \(run)")
        }
        for (machine, lines) in first { #expect(lines.count == 1, "\(machine) began at lines \(lines)") }
        #expect(try await lab.digests(of: "s1", name) == digests)
        let verdict = try await lab.control.verify(name, "s1")
        #expect(verdict.exitCode == 0, "\(verdict.reasons)")
    }

    private func firstLine(in log: String, from length: Int) async throws -> GuestRecord? {
        for _ in 0..<400 {
            let records = try GuestRecord.log(at: log, from: length)
            if let line = records.first(where: { $0.event == "lines" }) { return line }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    /// An edited copy of a checkpoint: the guest reads an hour more, the original stays what it is.
    mutating func resumesAnEditedCheckpoint() async throws {
        let digests = try await lab.digests(of: "s1", name)
        let original = try await lab.control.clocks(ofCheckpoint: "s1", simulation: name)
        let edit = ClockEditRequest(
            simulation: name,
            checkpoint: "s1",
            newCheckpoint: "s1-later",
            policy: .offset(.seconds(3600))
        )
        _ = try await lab.control.editClocks(edit)
        let edited = try await lab.control.clocks(ofCheckpoint: "s1-later", simulation: name)
        for (before, after) in zip(original.machines, edited.machines) {
            let (before, after) = (try #require(before.clock.rtcNs), try #require(after.clock.rtcNs))
            #expect(after - before == 3_600_000_000_000)
        }
        _ = try await lab.control.down(name)
        try await resume("edited", "s1-later", .continue) { checkpointRTC, _ in checkpointRTC }
        let verdicts = (try await lab.control.verify(name, "s1"), try await lab.control.verify(name, "s1-later"))
        #expect(verdicts.0.exitCode == 0 && verdicts.1.exitCode == 0, "\(verdicts)")
        #expect(try await lab.digests(of: "s1", name) == digests)
    }

    // MARK: - Parts of steps

    /// Suspends at a named instant; no process is left, and the simulation says so.
    @discardableResult
    private func suspend(as checkpoint: String) async throws -> OperationReport {
        let processes = try await lab.machines(of: name).values.compactMap(\.processID)
        #expect(processes.count == spec.machines.count)
        let report = try await lab.suspend(name, as: checkpoint, .in(.seconds(3)))
        try #require(report.outcome == .done, "suspend \(checkpoint): \(report.reasons)")
        #expect(report.exitCode == 0)
        #expect(lab.processes(of: name).isEmpty)
        let detail = try await lab.control.simulation(named: name)
        #expect(detail.summary.state == .suspended)
        #expect(detail.machines.isEmpty)
        return report
    }

    /// - Parameter expected: what the RTC reads at the resume instant, of what it read in the checkpoint and that instant.
    private mutating func resume(
        _ step: String,
        _ checkpoint: String?,
        _ policy: ClockPolicy,
        _ expected: (HostInstant, HostInstant) -> HostInstant
    ) async throws {
        let report = try await lab.resume(name, checkpoint, policy)
        try #require(report.outcome == .done, "\(step): \(report.reasons)")
        consoles = try await lab.consoles(of: name)
        let after = try await samples(step)
        for machine in report.machines {
            let sample = try #require(after[machine.name])
            let resumedAt = try #require(machine.resumedAt)
            let saved = try #require(machine.clockBefore?.rtcNs)
            let jump = ClockJump(before: sample, after: sample, stoppedAt: resumedAt, resumedAt: resumedAt)
            jump.expect(
                "\(step), \(machine.name)",
                rtcAtResume: expected(HostInstant(nanosecondsSinceEpoch: saved), resumedAt)
            )
        }
        try await expectSession(step, since: after["client"])
    }

    func samples(_ tag: String) async throws -> [String: ClockSample] {
        var samples: [String: ClockSample] = [:]
        for (machine, console) in consoles { samples[machine] = try await console.clocks(tag) }
        return samples
    }

    private func stamp(of machine: String, in report: OperationReport) throws -> HostInstant {
        let result = try #require(report.machines.first { $0.name == machine })
        return try #require(report.kind == .suspend ? result.stoppedAt : result.resumedAt)
    }

    /// Two seconds of lines more.
    private func linesFlow(from sequence: Int64) async throws {
        let client = try #require(consoles["client"])
        _ = try await client.wait(for: "line \(sequence + 40)") {
            $0.event == "lines" && $0.sequence >= sequence + 40
        }
    }

    /// The lines go on one by one over the same connection.
    func expectSession(_ step: String, since before: ClockSample?) async throws {
        let before = try #require(before).record
        try await linesFlow(from: before.sequence)
        let after = try await #require(consoles["client"]).clocks("\(step)-session").record
        #expect(after.gaps == 0, "\(step)")
        #expect(after.lines - before.lines == after.sequence - before.sequence, "\(step): \(before) then \(after)")
        #expect(after.connections == before.connections && !after.closed, "\(step): \(after)")
    }

    /// What a guest remembers to have written last is what its disk holds.
    func expectDisks(_ step: String) async throws {
        for machine in spec.machines where !machine.disks.isEmpty {
            let disk = try await #require(consoles[machine.name]).ask("disk", "\(step.filter { $0 != " " })-disk")
            #expect(disk.written == disk.read && (disk.read ?? 0) > 0, "\(step), \(machine.name): \(disk)")
            #expect(disk.disks == machine.disks.count)
        }
    }

    /// Stamps, lateness and spread belong together, and no machine stopped before it was told to.
    private func expectStamps(of report: OperationReport) throws {
        let deadline = try #require(report.deadline)
        var stamps: [HostInstant] = []
        for machine in report.machines {
            let stamp = try stamp(of: machine.name, in: report)
            stamps.append(stamp)
            #expect(stamp >= (try #require(machine.sentAt)))
            #expect(machine.lateness == stamp - deadline)
            #expect(machine.clock != nil)
            #expect(!machine.stages.isEmpty)
        }
        try #require(stamps.count == spec.machines.count)
        let (first, last) = (try #require(stamps.min()), try #require(stamps.max()))
        #expect(report.spread == last - first)
        print("\(name), \(report.kind.rawValue): spread \(last - first), latest \(last - deadline)")
    }
}
