import ControlInstance
import FoundationEssentials
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

extension MainJobTests {
    @Test(
        "A trigger saves a guest just behind what it said, also after another daemon has come",
        arguments: LabManifest.releases.prefix(1)
    )
    func serialTrigger(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.idle(release)
            spec.triggers = [
                TriggerSpec(.serial(machine: "guest", port: nil, pattern: #""event":"ready""#), .checkpoint("ready")),
                TriggerSpec(.serial(machine: "guest", port: nil, pattern: #""tag":"enough""#), .suspend("enough")),
            ]
            try #require(try await lab.up(spec).outcome == .done)
            try await lab.become([.done, .armed], spec.name)
            let operation = try #require(try await lab.triggers(spec.name).first?.operation)
            let report = try #require(try await lab.control.operation(operation).report)
            #expect(report.outcome == .done && report.trigger?.hasPrefix("guest says") == true)
            let before = try await lab.uptime(of: spec.name, "before")

            let recovery = try await lab.restart()
            #expect(recovery.problems.isEmpty, "\(recovery.problems)")
            #expect(try await lab.triggers(spec.name).map(\.phase) == [.done, .armed])
            try await lab.hasEnough(spec.name)
            #expect(try await lab.control.simulation(named: spec.name).summary.state == .suspended)

            #expect(try await lab.resumeWhenFree(spec.name, "ready").outcome == .done)
            let after = try await lab.uptime(of: spec.name, "after")
            #expect(after < before, "it is where it was when it said so, and not later")
            #expect(try await lab.triggers(spec.name).map(\.phase) == [.done, .armed])
            try await lab.hasEnough(spec.name)
            let names = try await lab.control.log(spec.name).map(\.checkpoint)
            #expect(Set(names) == ["ready", "enough", "enough-2"])
        }
    }

    @Test(
        "A machine that panics is saved as it is, and one that shuts down is told of",
        arguments: LabManifest.releases
    )
    func eventTriggers(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.bare(release)
            let monitor = lab.folder.file("hand.sock")
            let told = lab.folder.file("told")
            spec.machines[0].arguments = ["-device", "pvpanic", "-qmp", "unix:\(monitor),server=on,wait=off"]
            spec.triggers = [
                TriggerSpec(.event(machine: "pc", .reset), .checkpoint("reset")),
                TriggerSpec(.event(machine: "pc", .panic), .suspend("crashed")),
                TriggerSpec(
                    .event(machine: "pc", .shutdown),
                    .hook(["sh", "-c", "cat > \(told)"], timeout: .seconds(10))
                ),
            ]
            try #require(try await lab.up(spec).outcome == .done)
            // What a guest's own instructions would do.
            try await lab.poke(monitor, "o /b 0x64 0xfe")
            try await lab.become([.done, .armed, .armed], spec.name)
            // Its firmware has to have come to where it sets up the power management.
            try await Task.sleep(for: .seconds(3))
            try await lab.poke(monitor, "o /b 0x505 1")
            try await lab.become([.done, .done, .armed], spec.name)
            #expect(try await lab.control.simulation(named: spec.name).summary.state == .suspended)
            #expect(lab.processes().isEmpty)

            #expect(try await lab.resumeWhenFree(spec.name).outcome == .done)
            #expect(try await lab.machines(of: spec.name)["pc"]?.state == .running)
            _ = try await lab.control.down(spec.name)
            // Anew, all are armed.
            try #require(try await lab.up(spec).outcome == .done)
            try await Task.sleep(for: .seconds(3))
            var problem: (any Error)?
            for _ in 0..<500 where try await lab.triggers(spec.name)[2].phase == .armed {
                do { try await lab.poke(monitor, "o /w 0x604 0x2000") } catch { problem = error }
                try await Task.sleep(for: .milliseconds(20))
            }
            let phases = try await lab.triggers(spec.name).map(\.phase)
            let machine = try await lab.machines(of: spec.name)["pc"]
            try #require(
                phases == [.armed, .armed, .done],
                "\(String(describing: machine)), \(String(describing: problem))"
            )
            let input = try JSONValue(parsing: String(decoding: TemporaryFolder.contents(of: told), as: UTF8.self))
            #expect(input["trigger"]?["when"]?.stringValue == "pc shuts down", "\(input)")
        }
    }
}

extension Lab {
    fileprivate func triggers(_ simulation: String) async throws -> [TriggerReport] {
        try await control.simulation(named: simulation).triggers ?? []
    }

    /// Returns when the triggers are that far.
    /// - Throws: after a limit that only what hangs reaches.
    fileprivate func become(_ phases: [TriggerState.Phase], _ simulation: String) async throws {
        for _ in 0..<3000 {
            if try await triggers(simulation).map(\.phase) == phases { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestSupportError("triggers of \(simulation): \(try await triggers(simulation))")
    }

    /// A trigger is done somewhat before its operation lets its simulation go.
    fileprivate func resumeWhenFree(_ simulation: String, _ checkpoint: String? = nil) async throws -> OperationReport {
        for _ in 0..<500 {
            do {
                return try await resume(simulation, checkpoint)
            } catch let error as ControlError where error.reasons.contains(where: { $0.code == "busy" }) {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        return try await resume(simulation, checkpoint)
    }

    /// How long a guest's kernel has run, as it says. It has been answered then.
    fileprivate func uptime(of simulation: String, _ tag: String) async throws -> Int64 {
        guard let console = try await consoles(of: simulation)["guest"] else { throw TestSupportError("no guest") }
        return try await console.clocks(tag).record.uptimeNs
    }

    /// Lets the guest say what it is suspended for.
    fileprivate func hasEnough(_ simulation: String) async throws {
        guard let console = try await consoles(of: simulation)["guest"] else { throw TestSupportError("no guest") }
        try console.tell("clocks enough")
        // The last that it says may be in the checkpoint, and not here.
        try await become([.done, .done], simulation)
        withExtendedLifetime(console) {}
    }

    /// As if the guest wrote to a port.
    fileprivate func poke(_ monitor: String, _ line: String) async throws {
        let hand = try await QMPConnection.connect(to: QMPAddress(parsing: "unix:\(monitor)"))
        let command = QMPCommand("human-monitor-command", arguments: .object(["command-line": .string(line)]))
        _ = try await hand.execute(command)
        await hand.close()
    }
}
