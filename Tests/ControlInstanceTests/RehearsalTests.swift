import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Operations that are tried out: everything is asked, and nothing happens.
@Suite struct RehearsalTests {
    @Test func `a suspend is planned with what every host says, and nothing is left of it`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let before = try await control.operations(of: nil)
        let report = try await control.rehearse(.suspend(SaveRequest(simulation: "sim")))
        #expect(report.ready && report.kind == .suspend && report.checkpoint == "s1" && report.deadline != nil)
        #expect(report.hosts.map(\.host) == ["left", "right"] && report.hosts.map(\.machines) == [["a", "b"], ["c"]])
        #expect(report.hosts.allSatisfy { $0.ready && $0.required != nil && $0.reasons.isEmpty })
        #expect(bench.states == Bench.running && bench.folders.isEmpty)
        #expect(await bench.becomesIdle())
        #expect(try await control.operations(of: nil) == before)
        // The same can be done then, by the same name.
        #expect(try await bench.suspend(control).checkpoint == "s1")
    }

    @Test func `each host's reasons are told beside the readiness of the others`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.right.script(.prepare, .refuse("no-space"))
        let report = try await control.rehearse(.checkpoint(SaveRequest(simulation: "sim")))
        #expect(!report.ready && report.deadline == nil && report.kind == .checkpoint)
        #expect(report.hosts.map(\.ready) == [true, false])
        #expect(report.hosts[1].reasons.map(\.code) == ["no-space"] && report.reasons.map(\.code) == ["no-space"])
        #expect(await bench.becomesIdle())
        #expect(bench.states == Bench.running)
    }

    @Test(arguments: [
        (["checkpoint-corrupt"], 6), (["no-space", "checkpoint-incompatible"], 6), (["clocks-not-synchronised"], 7),
        (["no-space"], 3),
    ])
    func `it ends with what the operation itself would end with`(_ codes: [String], _ exitCode: Int) async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        bench.left.script(.prepare, .refuse(codes[0]))
        if codes.count > 1 { bench.right.script(.prepare, .refuse(codes[1])) }
        let report = try await control.rehearse(.resume(ResumeRequest(simulation: "sim")))
        #expect(!report.ready && report.exitCode == exitCode, "\(report.reasons)")
        #expect(await bench.becomesIdle())
        #expect(try await bench.resume(control).outcome == .done)
    }

    @Test func `a host that does not answer is not ready, and what it answers late is let go`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        bench.left.script(.prepare, .late(2500))
        let report = try await control.rehearse(.suspend(SaveRequest(simulation: "sim")))
        #expect(report.hosts.map(\.ready) == [false, true])
        #expect(await bench.becomesIdle())
    }

    @Test func `a resume is prepared and let go, also one that would give the RAM away`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        for ram in RAMUse.allCases {
            let report = try await control.rehearse(.resume(ResumeRequest(simulation: "sim", ram: ram)))
            #expect(report.ready && report.kind == .resume && report.checkpoint == "s1")
        }
        let orders = bench.left.world.withLock { $0.orders.suffix(RAMUse.allCases.count) }
        let uses = orders.compactMap { if case .resume(let order) = $0 { order.ram } else { nil } }
        #expect(uses.count == RAMUse.allCases.count && !uses.contains(.consume))
        #expect(bench.states.isEmpty)
        #expect(await bench.becomesIdle())
        #expect(try await bench.resume(control).outcome == .done)
    }

    @Test func `a rewind is planned as what it begins with`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        _ = try await bench.resume(control)
        let goal = ResumeRequest(simulation: "sim", checkpoint: "s1")
        let kept = try await control.rehearse(.rewind(RewindRequest(goal, keeping: .checkpoint(nil))))
        #expect(kept.ready && kept.kind == .suspend && kept.checkpoint == "s2" && !kept.notes.isEmpty)
        let discarded = try await control.rehearse(.rewind(RewindRequest(goal, keeping: .nothing)))
        #expect(discarded.ready && discarded.kind == .resume && discarded.checkpoint == "s1")
        bench.right.world.withLock { $0.obstacles = [Reason(code: "qemu-missing", message: "gone")] }
        await #expect(throws: ControlError.self) {
            try await control.rehearse(.rewind(RewindRequest(goal, keeping: .nothing)))
        }
        #expect(bench.states == Bench.running)
        #expect(try await control.log("sim").map(\.checkpoint) == ["s1"])
    }

    @Test func `what could not even begin is refused as the operation itself is`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        await #expect(throws: ControlError.self) {
            try await control.rehearse(.suspend(SaveRequest(simulation: "sim")))
        }
        try await bench.up(control)
        await #expect(throws: ControlError.self) {
            try await control.rehearse(.resume(ResumeRequest(simulation: "sim", checkpoint: "s1")))
        }
        #expect(bench.left.calls.count { $0 == "prepare" } == 1)
    }
}
