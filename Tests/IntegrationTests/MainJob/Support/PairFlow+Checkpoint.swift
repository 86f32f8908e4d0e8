import ControlInstance
import FoundationEssentials
import Glibc
import HypervisorAPI
import Testing
import Time

extension PairFlow {
    /// Saved while they run: the session goes on, and what was saved is the instant, to be resumed any number of times.
    mutating func savedWhileRunning(as checkpoint: String, _ release: QEMUUnderTest) async throws {
        let processes = try await lab.machines(of: spec.name).mapValues(\.processID)
        let onDisk = processes.values.compactMap(\.self).filter(Self.looksAtDisk)
        let before = try await samples("\(checkpoint)-before")
        let report = try await lab.checkpoint(spec.name, as: checkpoint)
        try #require(report.outcome == .done, "\(report.reasons)")
        #expect(try await lab.machines(of: spec.name).mapValues(\.processID) == processes)
        #expect(try await lab.control.simulation(named: spec.name).summary.state == .running)
        for machine in report.machines {
            let pause = try #require(machine.pause, "\(machine.name): \(machine.stages)")
            #expect(pause > .zero && machine.resumedAt == machine.stoppedAt.map { $0 + pause })
            // Its memory is a file beside its state, for whoever goes on from it.
            #expect(machine.ram?.way == .file, "\(machine.notes)")
            // 7.2 would let the machine go on by itself; 10.0 saves behind its back where the kernel allows.
            if release == .old {
                #expect(machine.savedWhile == .paused && !machine.notes.isEmpty)
            } else if try onDisk.contains(#require(processes[machine.name] ?? nil)) {
                #expect(
                    machine.savedWhile == .paused && machine.notes.contains { $0.contains("on disk") },
                    "\(machine.notes)"
                )
            } else if geteuid() == 0 {
                #expect(machine.savedWhile == .running, "\(machine.notes)")
            } else {
                // Only the report can tell here whether this kernel permits it.
                #expect(machine.savedWhile == .running || !machine.notes.isEmpty)
            }
            print(
                "\(spec.name)@\(checkpoint), QEMU \(release), \(machine.name): \(machine.savedWhile?.rawValue ?? "?"), \(pause)"
            )
        }
        // All stopped before any went on: else what one sent could be in its own past and in another's future.
        let stopped = report.machines.compactMap(\.stoppedAt)
        let resumed = report.machines.compactMap(\.resumedAt)
        #expect(try #require(stopped.max()) < (try #require(resumed.min())))
        try await expectSession(checkpoint, since: before["client"])
        try await expectDisks(checkpoint)
        let verdict = try await lab.control.verify(spec.name, checkpoint)
        #expect(verdict.exitCode == 0, "\(verdict.reasons)")
    }

    /// Whether a machine's RAM is a view of a checkpoint that is on disk: `ram` in its folder.
    private static func looksAtDisk(_ process: Int32) -> Bool {
        let maps = (try? String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)) ?? ""
        return maps.split(separator: "\n").contains { $0.hasSuffix("/ram") }
    }

    /// As it was at the instant, also after the simulation went on from it for a while and was saved again.
    mutating func goesBack(to checkpoint: String) async throws {
        let digests = try await lab.digests(of: checkpoint, spec.name)
        _ = try await lab.control.down(spec.name)
        let report = try await lab.resume(spec.name, checkpoint)
        try #require(report.outcome == .done, "\(report.reasons)")
        consoles = try await lab.consoles(of: spec.name)
        let now = try await samples("\(checkpoint)-back")
        try await expectSession("\(checkpoint)-back", since: now["client"])
        try await expectDisks("\(checkpoint)-back")
        #expect(try await lab.digests(of: checkpoint, spec.name) == digests)
    }

    /// Goes on from a checkpoint in another way than the usual one.
    /// - Returns: whether each machine runs on a view of the checkpoint's RAM.
    mutating func goesOn(from checkpoint: String, _ use: RAMUse, _ step: String) async throws -> Set<Bool> {
        let report = try await lab.resume(spec.name, checkpoint, ram: use)
        try #require(report.outcome == .done, "\(step): \(report.reasons)")
        consoles = try await lab.consoles(of: spec.name)
        let now = try await samples("\(step)-on")
        try await expectSession("\(step)-on", since: now["client"])
        try await expectDisks("\(step)-on")
        return Set(report.machines.map { $0.ram?.isView == true })
    }

    /// - Returns: by which way each machine's RAM was saved.
    mutating func isSuspended(as checkpoint: String) async throws -> Set<RAMWay> {
        let before = try await samples("\(checkpoint)-before")
        #expect(before.count == spec.machines.count)
        let report = try await lab.suspend(spec.name, as: checkpoint)
        try #require(report.outcome == .done, "\(checkpoint): \(report.reasons)")
        #expect(lab.processes().isEmpty)
        return Set(report.machines.compactMap(\.ram?.way))
    }
}
