import Archive
import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Of an archive's machines each goes to its host: the other one's part by the same pieces as it left.
struct ImportAcrossHostsTests {
    private static let away = HypervisorError(code: "host-unreachable", message: "nobody answers")
    private static let state = "machines/c/state.qemu"

    /// Of machines `a` and `b` of the left host and `c` of the right.
    private func archive() async throws -> [UInt8] {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        try #require(try await bench.suspend(control).outcome == .done)
        return try await Transfer.archive(control, "sim", "s1")
    }

    private func refused(
        _ bench: Bench,
        _ control: ControlInstance,
        _ request: ImportRequest = ImportRequest()
    ) async throws -> ControlError {
        let bytes = try await archive()
        let error = await #expect(throws: ControlError.self) { try await Transfer.take(bytes, control, request) }
        #expect(bench.arrived == [] && bench.folders == [], "nothing is left")
        #expect(try await bench.store.checkpoints(of: nil) == [])
        return try #require(error)
    }

    @Test func `a machine goes to the host that its description names, and nothing of it stays here meanwhile`()
        async throws
    {
        let bench = try Bench()
        let control = try bench.control()
        let report = try await Transfer.take(try await archive(), control)
        #expect(report.hosts == ["a": "left", "b": "left", "c": "right"] && report.notes == [])
        let calls = bench.right.calls.filter { !$0.hasPrefix("seal") }
        #expect(
            calls == [
                "remove sim/s1.partial.arriving", "write \(Self.state) 0", "write \(Self.state) 2",
                "write \(Self.state) 4",
                "fit s1.partial.arriving",
            ]
        )
        #expect(bench.left.calls.filter { $0.hasPrefix("fit") } == ["fit s1.partial"])
        let manifest = try await control.show("sim", "s1").manifest
        #expect(manifest.spec.machines.map(\.host) == [nil, "left", "right"])
        #expect(try await bench.resume(control, "s1").outcome == .done)
        #expect(bench.right.states(of: "sim") == ["c": .running])
    }

    @Test func `somebody may say where a machine goes`() async throws {
        let bench = try Bench()
        let control = try bench.control()
        let request = ImportRequest(hosts: ["a": "right", "c": "left"])
        let report = try await Transfer.take(try await archive(), control, request)
        #expect(report.hosts == ["a": "right", "b": "left", "c": "left"])
        let manifest = try await control.show("sim", "s1").manifest
        #expect(manifest.spec.machines.map(\.host) == ["right", "left", nil])
        #expect(manifest.machines.map(\.host) == ["right", "left", "left"])
    }

    @Test func `what was lost on the way is sent again from where it stopped`() async throws {
        let bench = try Bench()
        bench.right.world.withLock { $0.writes = [nil, Self.away, Self.away, nil] }
        #expect(try await Transfer.take(try await archive(), try bench.control()).resumable)
        #expect(
            bench.right.calls.filter { $0.hasPrefix("write") } == [0, 2, 2, 2, 4].map { "write \(Self.state) \($0)" }
        )
        let file = "\(bench.home)/checkpoints/sim/s1/\(Self.state)"
        #expect(try Data(contentsOf: URL(filePath: file)) == Data("state".utf8))
    }

    @Test func `a machine of a host that is not known comes here, and that is told`() async throws {
        let bench = try Bench()
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left],
            store: bench.store,
            options: Bench.options
        )
        let report = try await Transfer.take(try await archive(), control)
        #expect(report.hosts == ["a": "left", "b": "left", "c": "left"])
        #expect(report.notes.count == 1 && report.notes[0].contains("'right'") && report.notes[0].contains("--host c="))
        #expect(try await control.show("sim", "s1").manifest.spec.machines.map(\.host) == [nil, "left", nil])
    }

    @Test(arguments: [(["x": "left"], "machine-unknown"), (["c": "nowhere"], "host-not-found")])
    func `who or what is not known is refused before anything is written`(_ hosts: [String: String], _ code: String)
        async throws
    {
        let bench = try Bench()
        let error = try await refused(bench, try bench.control(), ImportRequest(hosts: hosts))
        #expect(error.exitCode == (code == "host-not-found" ? 1 : 3) && error.reasons.map(\.code) == [code])
        #expect((bench.left.calls + bench.right.calls).allSatisfy { !$0.hasPrefix("write") && !$0.hasPrefix("fit") })
    }

    @Test func `a drained host takes none`() async throws {
        let bench = try Bench()
        let right = bench.right
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left],
            connect: { _ in right },
            store: bench.store,
            options: Bench.options
        )
        _ = try await control.addHost(HostRequest(name: "right", address: "lab2:7443"))
        _ = try await control.drainHost("right", drained: true)
        for hosts in [[:], ["c": "right"], ["c": "left", "a": "right"]] {
            let error = try await refused(bench, control, ImportRequest(hosts: hosts))
            #expect(error.exitCode == 3 && error.reasons.map(\.code) == ["host-drained"])
            #expect(error.description.contains("--host") || !hosts.isEmpty)
        }
        let report = try await Transfer.take(try await archive(), control, ImportRequest(hosts: ["c": "left"]))
        #expect(Set(report.hosts.values) == ["left"])
    }

    @Test func `a host that stays away ends it, with host, file and how far it came`() async throws {
        let bench = try Bench()
        var options = Bench.options
        options.transferPatience = .milliseconds(50)
        bench.right.world.withLock { $0.writes = [nil] + [HypervisorError?](repeating: Self.away, count: 1000) }
        let error = try await refused(bench, try bench.control(options: options))
        #expect(error.reasons.map(\.code) == ["host-unreachable"])
        for word in ["to right", Self.state, "2 of 5 bytes", "nobody answers"] {
            #expect(error.description.contains(word), "\(word): \(error)")
        }
        #expect(bench.right.calls.last == "remove sim/s1.partial.arriving")
    }

    @Test func `a host without room is not sent anything`() async throws {
        let bench = try Bench()
        bench.right.world.withLock { $0.freeBytes = 100 }
        let error = try await refused(bench, try bench.control())
        #expect(error.exitCode == 3 && error.reasons.map(\.code) == ["no-space"])
        #expect(error.description.contains("host right"))
        #expect(bench.right.calls.allSatisfy { !$0.hasPrefix("write") })
    }

    @Test func `one that becomes full ends it`() async throws {
        let bench = try Bench()
        bench.right.world.withLock { $0.writes = [nil, HypervisorError(code: "no-space", message: "full")] }
        let error = try await refused(bench, try bench.control())
        #expect(error.reasons.map(\.code) == ["no-space"])
        #expect(bench.right.calls.count { $0.hasPrefix("write") } == 2, "there is no use in trying again")
    }

    @Test func `what arrives is compared with what was saved`() async throws {
        let bench = try Bench()
        let damage = Reason(code: "checkpoint-corrupt", machine: "c", message: "it has another digest")
        bench.right.world.withLock { $0.verdict = [damage] }
        let error = try await refused(bench, try bench.control())
        #expect(error.reasons == [damage] && error.exitCode == 6)
        #expect(bench.right.calls.contains("remove sim/s1.partial"))
    }

    @Test func `what is there of that name already is not ours to remove`() async throws {
        let bench = try Bench()
        bench.right.world.withLock { $0.fits = [HypervisorError(code: "checkpoint-exists", message: "s1 is there")] }
        let error = try await refused(bench, try bench.control())
        #expect(error.reasons.map(\.code) == ["checkpoint-exists"])
        #expect(!bench.right.calls.contains("remove sim/s1.partial") && !bench.right.calls.contains("remove sim/s1"))
    }
}
