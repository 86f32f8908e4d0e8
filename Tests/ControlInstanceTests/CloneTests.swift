import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// New simulations from an old one's checkpoint, over hypervisors that fail on demand.
struct CloneTests {
    private static let generation = "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87"

    /// `sim@s1` is there, and `sim` suspended to it.
    private func suspended(_ bench: Bench) async throws -> ControlInstance {
        let control = try bench.control()
        try await bench.up(control)
        _ = try await bench.suspend(control)
        return control
    }

    private func request(_ name: String, count: Int? = nil, newMACs: Bool = false) -> CloneRequest {
        CloneRequest(ResumeRequest(simulation: "sim", checkpoint: "s1"), as: name, count: count, newMACs: newMACs)
    }

    private func clone(_ control: ControlInstance, _ request: CloneRequest) async throws -> [OperationReport] {
        var reports: [OperationReport] = []
        for clone in try await control.clone(request) { reports.append(try await control.result(of: clone.operation)) }
        return reports
    }

    private func refusal(_ body: () async throws -> Void) async -> ControlError? {
        await #expect(throws: ControlError.self) { try await body() }
    }

    private func states(_ bench: Bench, _ simulation: String) -> [String: ScriptedHypervisor.MachineState] {
        bench.left.states(of: simulation).merging(bench.right.states(of: simulation)) { first, _ in first }
    }

    @Test func aCloneRunsBesideTheOldOneWhateverThatDoes() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        let report = try #require(try await clone(control, request("one")).first)
        let s1 = try #require(try await bench.store.checkpoint("s1", of: "sim"))
        #expect(report.outcome == .done && report.simulation == "one" && report.checkpoint == nil)
        #expect(report.origin == Origin(simulation: "sim", checkpoint: "s1", id: s1.id))
        #expect(bench.states.isEmpty && states(bench, "one") == Bench.running)
        _ = try await bench.resume(control)
        #expect(try await clone(control, request("two")).map(\.outcome) == [.done])
        _ = try await control.down("sim")
        #expect(try await clone(control, request("three")).map(\.outcome) == [.done])
        let all = try await control.simulations()
        #expect(all.map(\.simulation) == ["one", "sim", "three", "two"])
        #expect(all.map { $0.origin?.description } == ["sim@s1", nil, "sim@s1", "sim@s1"])
        #expect(all.map(\.state) == [.running, .down, .running, .running])
    }

    @Test func itsCheckpointsAreATreeOfTheirOwnThatNamesItsOrigin() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await clone(control, request("one"))
        for name in ["a", "b"] {
            let report = try await control.result(
                of: control.checkpoint(SaveRequest(simulation: "one", checkpoint: name))
            )
            #expect(report.outcome == .done)
        }
        let log = try await control.log("one")
        #expect(log.map(\.parent) == [nil, "a"] && log.map { $0.origin?.description } == ["sim@s1", nil])
        let manifest = try await control.show("one", "a").manifest
        #expect(manifest.parent?.simulation == "sim" && manifest.parent?.name == "s1" && manifest.spec.name == "one")
        #expect(try await control.log("sim").map(\.checkpoint) == ["s1"])
        // Without the database the folders tell the same.
        let found = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite"))
        _ = await found.recover()
        #expect(try await found.log("one").map { $0.origin?.description } == ["sim@s1", nil])
        #expect(try await found.simulation(named: "one").summary.origin?.description == "sim@s1")
        // A clone's clone has its own origin, and started anew it has none.
        let source = ResumeRequest(simulation: "one", checkpoint: "b")
        #expect(try await clone(control, CloneRequest(source, as: "grandchild")).first?.origin?.description == "one@b")
        _ = try await control.down("grandchild")
        let spec = SimulationSpec(name: "grandchild", machines: [.sample("a")])
        _ = try await control.result(of: control.up(UpRequest(spec: spec)))
        #expect(try await control.simulation(named: "grandchild").summary.origin == nil)
    }

    @Test func severalAreNumberedAndEachEndsForItself() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        bench.right.script(.report, .late(0), .failed("load-failed"))
        let reports = try await clone(control, request("many", count: 6))
        #expect(reports.map(\.simulation) == (1...6).map { "many-\($0)" })
        #expect(reports.map(\.outcome).filter { $0 == .failed }.count == 1)
        #expect(reports.map(\.outcome).filter { $0 == .done }.count == 5)
        for report in reports {
            #expect(states(bench, report.simulation).isEmpty == (report.outcome == .failed))
        }
        #expect(await bench.becomesIdle())
    }

    @Test func theIdsOfWhoAskedAreThoseThatAreRecorded() async throws {
        let bench = try Bench()
        let control = try bench.control()
        try await bench.up(control)
        let ids = (0..<2).map { _ in OperationID.new(at: HostInstant(nanosecondsSinceEpoch: 1)) }
        #expect(try await control.suspend(SaveRequest(simulation: "sim", operation: ids[0])) == ids[0])
        #expect(try await control.result(of: ids[0]).outcome == .done)
        var source = request("many", count: 3)
        source.source.operation = ids[1]
        let clones = try await control.clone(source)
        #expect(clones.map(\.operation) == (0..<3).map { ids[1].sibling($0) })
        #expect(Set(clones.map(\.operation)).count == 3)
        for clone in clones { #expect(try await control.result(of: clone.operation).outcome == .done) }
        #expect(ids[1].sibling(2).text.utf8.count == 26 && ids[1].sibling(2) == ids[1].sibling(2))
    }

    @Test func thoseThatWaitForTheirTurnAreCalledOffToo() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        bench.right.script(.prepare, .late(300), .late(300), .late(300), .late(300))
        let clones = try await control.clone(request("many", count: 10))
        for clone in clones { try control.cancel(clone.operation) }
        for clone in clones { #expect(try await control.result(of: clone.operation).outcome == .cancelled) }
        #expect(await bench.becomesIdle())
        #expect(try await bench.store.unfinishedOperations().isEmpty)
    }

    @Test func whatCannotBeIsRefusedBeforeAnythingStarts() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await clone(control, request("taken"))
        _ = try await control.result(of: control.suspend(SaveRequest(simulation: "taken")))
        _ = try await control.down("taken")
        _ = try await clone(control, request("run-2"))
        let before = try await bench.store.operations(of: nil, limit: 100).count
        let cases: [(CloneRequest, String, Int)] = [
            (request("taken"), "simulation-exists", 3), (request("sim"), "simulation-exists", 3),
            (request("run", count: 3), "simulation-exists", 3), (request("no", count: 0), "count-invalid", 2),
            (request("no", count: 101), "count-invalid", 2), (request("No"), "name-invalid", 2),
            (request(String(repeating: "n", count: 62), count: 10), "name-invalid", 2),
            (CloneRequest(ResumeRequest(simulation: "sim"), as: "no"), "checkpoint-not-named", 2),
            (CloneRequest(ResumeRequest(simulation: "sim", checkpoint: "s9"), as: "no"), "checkpoint-not-found", 1),
            (CloneRequest(ResumeRequest(simulation: "nobody", checkpoint: "s1"), as: "no"), "checkpoint-not-found", 1),
        ]
        for (request, code, exitCode) in cases {
            let error = await refusal { _ = try await clone(control, request) }
            #expect(error?.reasons.map(\.code) == [code] && error?.exitCode == exitCode, "\(request): \(error as Any)")
        }
        #expect(try await bench.store.operations(of: nil, limit: 100).count == before)
        // Nothing stays claimed.
        for name in ["run-1", "run-3", "no"] {
            #expect(try await clone(control, request(name)).map(\.outcome) == [.done])
        }
    }

    /// The name of one that is down and left nothing behind is free.
    @Test func aNameIsFreeAgainWhenNothingIsLeftOfIt() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await clone(control, request("one"))
        _ = try await control.down("one")
        #expect(try await clone(control, request("one")).map(\.outcome) == [.done])
    }

    @Test func aCheckpointThatACloneRunsFromStays() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await clone(control, request("one"))
        _ = try await control.down("sim")
        let error = await refusal { try await control.remove("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["checkpoint-in-use"] && error?.description.contains("one") == true)
        #expect(bench.folders == ["s1"])
        _ = try await control.down("one")
        try await control.remove("sim", "s1")
        #expect(bench.folders.isEmpty)
    }

    @Test func aCheckpointThatIsBeingClonedIsNotRemoved() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await control.down("sim")
        bench.right.script(.prepare, .late(400))
        let clones = try await control.clone(request("one"))
        let error = await refusal { try await control.remove("sim", "s1") }
        #expect(error?.reasons.map(\.code) == ["busy"])
        #expect(try await control.result(of: try #require(clones.first).operation).outcome == .done)
    }

    /// The original's generated addresses are spelled out, and given ones stay.
    @Test(arguments: [true, false])
    func cardsKeepTheAddressesThatTheirGuestsKnow(_ newMACs: Bool) async throws {
        let bench = try Bench()
        let control = try bench.control()
        var spec = SimulationSpec(name: "sim", machines: [.sample("a"), .sample("b")])
        let ends = [LinkSpec.End(machine: "a"), LinkSpec.End(machine: "b", mac: "52:54:00:00:00:01")]
        spec.links = [
            LinkSpec(name: "lan", kind: .dgram, ends: ends), LinkSpec(name: "line", kind: .serial, ends: ends),
        ]
        spec.links[1].ends[1].mac = nil
        _ = try await control.result(of: control.up(UpRequest(spec: spec)))
        _ = try await bench.suspend(control)
        _ = try await clone(control, request("one", newMACs: newMACs))
        let clone = try await control.simulation(named: "one").spec
        let known = spec.links[0].generatedMAC(ofEnd: 0, in: "sim") { HexDigest.sha256($0) }
        #expect(clone.links[0].ends.map(\.mac) == (newMACs ? [nil, nil] : [known, "52:54:00:00:00:01"]))
        #expect(clone.links[1].ends.map(\.mac) == [nil, nil])
        #expect(clone.links.map(\.name) == spec.links.map(\.name) && clone.name == "one")
    }

    @Test func generationsAreNewAndWhoHasNoneIsNamed() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        var source = try await control.show("sim", "s1").manifest
        source.machines[0].launch.spec.arguments = ["-device", "vmgenid,guid=\(Self.generation),id=g"]
        source.machines[1].launch.spec.arguments = ["-qmp", "unix:/tmp/b.sock,server=on"]
        source.machines[2].launch.adoptedArguments = ["qemu", "-device", "vmgenid,guid=1", "-qmp", "unix:own.sock"]
        source.spec.machines[0].arguments = source.machines[0].launch.spec.arguments
        let clone = Clone(of: source, id: "id", as: "one", newMACs: false)
        #expect(clone.manifest.machines[0].launch.spec.arguments == ["-device", "vmgenid,guid=auto,id=g"])
        #expect(clone.manifest.spec.machines[0].arguments == ["-device", "vmgenid,guid=auto,id=g"])
        #expect(clone.manifest.machines[2].launch.adoptedArguments?[2] == "vmgenid,guid=auto")
        #expect(clone.notes.count == 2)
        #expect(clone.notes[0].contains("random state with sim@s1") && clone.notes[0].hasSuffix("tells that to b"))
        #expect(clone.notes[1].hasSuffix("of their own: b: unix:/tmp/b.sock,server=on"))
    }

    @Test func whatACloneSharesIsInItsReport() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        let report = try #require(try await clone(control, request("one", newMACs: true)).first)
        #expect(report.notes.contains { $0.contains("random state") && $0.hasSuffix("a, b, c") }, "\(report.notes)")
        #expect(report.notes.contains { $0.contains("MAC address") })
    }

    /// What a hypervisor is told to launch is the clone's, too.
    @Test func hypervisorsAreToldTheCloneAndNotTheOldOne() async throws {
        let bench = try Bench()
        let control = try await suspended(bench)
        _ = try await clone(control, request("one"))
        let last = try #require(bench.left.world.withLock { $0.orders.last })
        guard case .resume(let order) = last else {
            Issue.record("\(last)")
            return
        }
        #expect(order.simulation.name == "one" && order.folder == "\(bench.home)/checkpoints/sim/s1")
    }
}
