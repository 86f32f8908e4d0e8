import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Machines of a checkpoint go to other hosts, as a checkpoint beside it.
struct MoveTests {
    /// `a` and `b` on the left host, `c` on the right, suspended to `s1`.
    private func suspended() async throws -> (Bench, ControlInstance) {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        try #require(try await bench.suspend(control).outcome == .done)
        return (bench, control)
    }

    private func request(_ hosts: [String: String], as name: String? = nil) -> MoveRequest {
        MoveRequest(simulation: "sim", checkpoint: "s1", newCheckpoint: name, hosts: hosts)
    }

    private func refused(
        _ bench: Bench,
        _ control: ControlInstance,
        _ hosts: [String: String]
    ) async throws -> ControlError {
        let before = try await control.show("sim", "s1").manifest
        let error = await #expect(throws: ControlError.self) { _ = try await control.move(request(hosts)) }
        #expect(bench.folders == ["s1"], "nothing is left of the new one")
        #expect(try await control.show("sim", "s1").manifest == before, "and the old one is what it was")
        #expect(try await bench.store.checkpoints(of: nil).map(\.name) == ["s1"])
        return try #require(error)
    }

    /// Not both ways at once: the doubles have one folder, and what comes to one of them would be in the way of the other's.
    @Test(arguments: [["c": "left"], ["a": "right"], ["a": "right", "b": "right"]])
    func `the new one stands beside the old, with machines where they shall be`(_ hosts: [String: String])
        async throws
    {
        let (bench, control) = try await suspended()
        let old = try await control.show("sim", "s1").manifest
        let new = try await control.move(request(hosts)).manifest
        #expect(new.name == "s2" && new.parent?.name == "s1" && new.id != old.id && new.instant == old.instant)
        let expected = ["a": "left", "b": "left", "c": "right"].merging(hosts) { $1 }
        #expect(new.hosts == expected)
        for (machine, host) in hosts {
            let wish = host == "left" ? nil : host
            #expect(new.spec.machines.first { $0.name == machine }?.host == wish)
        }
        #expect(try await control.show("sim", "s1").manifest == old)
        #expect(bench.folders == ["s1", "s2"])
        for machine in ["a", "b", "c"] {
            let file = "\(bench.home)/checkpoints/sim/s2/machines/\(machine)/state.qemu"
            #expect(try Data(contentsOf: URL(filePath: file)) == Data("state".utf8))
        }
        #expect(try await bench.resume(control, "s2").outcome == .done)
        #expect(bench.right.states(of: "sim").keys.sorted() == expected.filter { $0.value == "right" }.keys.sorted())
        #expect(((try? FileManager.default.contentsOfDirectory(atPath: "\(bench.home)/exports")) ?? []).isEmpty)
    }

    @Test func `where all are there already, it is that one`() async throws {
        let (bench, control) = try await suspended()
        #expect(try await control.move(request(["c": "right"])).manifest.name == "s1")
        #expect(try await control.move(request([:])).manifest.name == "s1")
        #expect(bench.folders == ["s1"])
    }

    @Test(arguments: [(["x": "left"], "machine-unknown"), (["c": "nowhere"], "host-not-found")])
    func `who or what is not known is refused`(_ hosts: [String: String], _ code: String) async throws {
        let (bench, control) = try await suspended()
        let error = try await refused(bench, control, hosts)
        #expect(error.exitCode == (code == "host-not-found" ? 1 : 3) && error.reasons.map(\.code) == [code])
    }

    @Test func `a host that cannot run it says why, and nothing is left`() async throws {
        let (bench, control) = try await suspended()
        let reason = Reason(code: "checkpoint-incompatible", machine: "a", message: "its QEMU is older")
        bench.right.world.withLock { $0.obstacles = [reason] }
        let error = try await refused(bench, control, ["a": "right"])
        #expect(error.reasons == [reason])
    }

    @Test func `what arrives is compared, and a host that goes away ends it`() async throws {
        let (bench, control) = try await suspended()
        let damage = Reason(code: "checkpoint-corrupt", machine: "a", message: "it has another digest")
        bench.right.world.withLock { $0.verdict = [damage] }
        #expect(try await refused(bench, control, ["a": "right"]).reasons == [damage])
        let away = HypervisorError(code: "host-gone", message: "nobody answers")
        bench.right.world.withLock {
            $0.verdict = []
            $0.writes = [nil, away]
        }
        #expect(try await refused(bench, control, ["a": "right"]).reasons.map(\.code) == ["host-gone"])
        #expect(try await control.move(request(["a": "right"], as: "there")).manifest.name == "there")
    }
}
