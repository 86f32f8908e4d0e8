import ControlInstance
import FoundationEssentials
import GuestClock
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

            // Whoever is told that it is done finds the simulation free.
            #expect(try await lab.resume(spec.name, "ready").outcome == .done)
            let after = try await lab.uptime(of: spec.name, "after")
            #expect(after < before, "it is where it was when it said so, and not later")
            #expect(try await lab.triggers(spec.name).map(\.phase) == [.done, .armed])
            try await lab.hasEnough(spec.name)
            let names = try await lab.control.log(spec.name).map(\.checkpoint)
            #expect(Set(names) == ["ready", "enough", "enough-2"])
        }
    }

    /// It is gone before anybody can look at it: what it did is known from the connection that let it go on.
    @Test(
        "A guest that shuts down directly after a resume is told of, on this host and on another one",
        arguments: LabManifest.releases,
        [Lab.Hosts.own, .other]
    )
    func shutdownRightAfterResume(_ release: QEMUUnderTest, _ hosts: Lab.Hosts) async throws {
        try await Lab.with(hosts: hosts) { lab in
            let disk = lab.folder.file("sector.img")
            try OneSector.write(to: disk)
            var spec = try OneSector.spec(release, disk: disk)
            let told = lab.folder.file("told")
            spec.triggers = [
                TriggerSpec(.serial(machine: "pc", port: nil, pattern: "^R$"), .suspend("ready")),
                TriggerSpec(
                    .event(machine: "pc", .shutdown),
                    .hook(["sh", "-c", "cat > \(told)"], timeout: .seconds(10))
                ),
            ]
            try #require(try await lab.up(spec).outcome == .done)
            try await lab.become([.done, .armed], spec.name)
            let report = try await lab.resume(spec.name, "ready", .offset(.seconds(400 * 86400)))
            #expect(report.outcome == .done, "\(report.reasons)")
            try await lab.become([.done, .done], spec.name)
            let input = try JSONValue(parsing: String(decoding: TemporaryFolder.contents(of: told), as: UTF8.self))
            let met = try #require(input["trigger"]?["metNs"]?.int64Value)
            let resumed = try #require(report.machines.first?.resumedAt)
            let after = HostInstant(nanosecondsSinceEpoch: met) - resumed
            print("QEMU \(release), \(hosts): shut down \(after) behind its resume")
            // Clocks of two hosts are that far apart at most, here.
            #expect(after > .milliseconds(-5))
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

            #expect(try await lab.resume(spec.name).outcome == .done)
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

/// A guest in one sector: says that it is ready, and switches its machine off as soon as its clock reads another year.
private enum OneSector {
    // As SeaBIOS leaves it: real mode, at 0000:7C00, its port and its power management (0x600 on `pc`) set up.
    private static let code: [UInt8] = [
        0xFA,  // cli
        0xE8, 0x1C, 0x00,  // call year
        0x88, 0xC3,  // mov bl, al
        0xBA, 0xF8, 0x03,  // mov dx, 0x3f8
        0xB0, 0x52, 0xEE,  // mov al, 'R'; out dx, al
        0xB0, 0x0A, 0xEE,  // mov al, '\n'; out dx, al
        0xE8, 0x0E, 0x00,  // wait: call year
        0x38, 0xD8,  // cmp al, bl
        0x74, 0xF9,  // je wait
        0xBA, 0x04, 0x06,  // mov dx, 0x604
        0xB8, 0x00, 0x20, 0xEF,  // mov ax, 0x2000; out dx, ax
        0xF4,  // end: hlt
        0xEB, 0xFD,  // jmp end
        0xB0, 0x09, 0xE6, 0x70,  // year: mov al, 9; out 0x70, al
        0xE4, 0x71, 0xC3,  // in al, 0x71; ret
    ]

    static func write(to path: String) throws {
        let sector = code + [UInt8](repeating: 0, count: 510 - code.count) + [0x55, 0xAA]
        try Data(sector).write(to: URL(filePath: path))
    }

    static func spec(_ release: QEMUUnderTest, disk: String) throws -> SimulationSpec {
        var spec = try LabManifest.bare(release, name: "sector")
        spec.machines[0].disks = [DiskSpec(id: "boot", file: disk, format: "raw", interface: .ide, readOnly: false)]
        // No year ends while a test runs.
        spec.machines[0].rtc = RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_780_000_000_000_000_000))
        return spec
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
