import DatabaseServer
import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// Two control instances with one database and the same hosts.
@Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
struct PeerTests {
    /// The first has the hosts' doubles and folder; the second has a state folder of its own.
    private struct Pair {
        let bench: Bench
        let stores: (first: PostgreSQLStore, second: PostgreSQLStore)
        let first: ControlInstance
        let second: ControlInstance
        let folder: TemporaryFolder
        let place: StorePlace
    }

    private func pair(lease: Span = PostgreSQLStore.lease) async throws -> Pair {
        let place = StorePlace(kind: .postgresql, address: try DatabaseServer.shared.get().database())
        let stores = (
            first: try #require(try await place.open("desk", lease: lease) as? PostgreSQLStore),
            second: try #require(try await place.open("bench") as? PostgreSQLStore)
        )
        let bench = Bench(try TemporaryFolder(), stores.first)
        let folder = try TemporaryFolder()
        var options = Bench.options
        options.peerPause = .milliseconds(50)
        options.settlePause = .milliseconds(50)
        let second = try ControlInstance(
            home: folder.path,
            hypervisors: [bench.left, bench.right],
            store: stores.second,
            options: options
        )
        return Pair(
            bench: bench,
            stores: stores,
            first: try bench.control(options: options),
            second: second,
            folder: folder,
            place: place
        )
    }

    private func end(_ pair: Pair) async {
        await pair.first.endSealing()
        await pair.second.endSealing()
        await pair.first.close()
        await pair.second.close()
    }

    @Test func oneDrivesAndTheOtherIsRefusedByName() async throws {
        let pair = try await pair()
        try await pair.bench.up(pair.first)
        #expect(try await pair.second.simulations().map(\.state) == [.running])
        pair.bench.left.script(.report, .late(1500))
        let id = try await pair.first.suspend(SaveRequest(simulation: "sim"))
        for _ in 0..<3 {
            let error = await #expect(throws: ControlError.self) {
                try await pair.second.suspend(SaveRequest(simulation: "sim"))
            }
            #expect(error?.reasons.map(\.code) == ["driven-elsewhere"] && error?.exitCode == 3)
            #expect(error?.description.contains("desk") == true)
        }
        let seen = try #require(try await pair.second.simulations().first)
        #expect(seen.state == .suspending && seen.driver == "desk" && seen.operation == id)
        // A start of the other settles nothing of what is under way.
        let recovery = await pair.second.recover()
        #expect(recovery.operations.isEmpty && recovery.problems.isEmpty, "\(recovery)")
        #expect(try await pair.first.result(of: id).outcome == .done)
        #expect(try await pair.second.operation(id).report?.outcome == .done)
        // The checkpoint is told of everywhere, and is where it is.
        #expect(try await pair.second.log("sim").map(\.checkpoint) == ["s1"])
        let elsewhere = await #expect(throws: ControlError.self) { try await pair.second.show("sim", "s1") }
        #expect(elsewhere?.reasons.map(\.code) == ["checkpoint-elsewhere"])
        #expect(elsewhere?.description.contains("desk") == true)
        let third = await pair.second.recover()
        #expect(third.problems.isEmpty && third.foundCheckpoints.isEmpty, "\(third)")
        #expect(try await pair.first.log("sim").map(\.checkpoint) == ["s1"])
        #expect(try await pair.bench.resume(pair.first).outcome == .done)
        // Now the other one may.
        let other = try await pair.second.suspend(SaveRequest(simulation: "sim"))
        #expect(try await pair.second.result(of: other).outcome == .done)
        #expect(try await pair.first.log("sim").map(\.checkpoint) == ["s1", "s2"])
        // What disks of the other one's may lie on stays.
        let needed = await #expect(throws: ControlError.self) { try await pair.first.remove("sim", "s1") }
        #expect(needed?.reasons.map(\.code) == ["checkpoint-in-use"], "\(String(describing: needed))")
        await end(pair)
    }

    @Test func bothPressSuspendAtOnce() async throws {
        let pair = try await pair()
        try await pair.bench.up(pair.first)
        for round in 1...5 {
            pair.bench.left.script(.report, .late(800))
            let outcomes = await withTaskGroup(of: Result<OperationReport, ControlError>.self) { group in
                for control in [pair.first, pair.second] {
                    group.addTask {
                        do throws(ControlError) {
                            let id = try await control.suspend(SaveRequest(simulation: "sim"))
                            return .success(try await control.result(of: id))
                        } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let done = outcomes.compactMap { try? $0.get() }
            #expect(done.map(\.outcome) == [.done], "round \(round): \(outcomes)")
            for case .failure(let error) in outcomes {
                #expect(error.reasons.map(\.code) == ["driven-elsewhere"], "\(error)")
            }
            #expect(pair.bench.states.isEmpty)
            let checkpoint = try #require(done.first?.checkpoint)
            let isFirst = pair.bench.folders.contains(checkpoint)
            let keeper = isFirst ? pair.first : pair.second
            #expect(try await pair.bench.resume(keeper).outcome == .done)
            #expect(pair.bench.states == Bench.running)
        }
        await end(pair)
    }

    @Test func whatADeadOneLeftIsTakenUpByTheOther() async throws {
        for limit in stride(from: 3, to: 30, by: 3) {
            let pair = try await pair(lease: .milliseconds(500))
            try await pair.bench.up(pair.first)
            _ = await pair.second.recover()
            let fuse = Fuse(limit: limit)
            let dying = try pair.bench.control(store: FusedSharedStore(store: pair.stores.first, fuse: fuse)) {
                FusedHypervisor(hypervisor: $0, fuse: fuse)
            }
            let ended = Task { try await dying.result(of: dying.suspend(SaveRequest(simulation: "sim"))) }
            guard await fuse.blownOrEnded(ended) else { break }
            pair.stores.first.stopPulse()
            var isSettled = false
            for _ in 0..<1_000 where !isSettled {
                try await Task.sleep(for: .milliseconds(20))
                isSettled = try await pair.stores.second.unfinishedOperations().isEmpty
            }
            #expect(isSettled, "died at \(limit)")
            let record = try #require(try await pair.stores.second.simulation("sim"))
            let isRunning = record.state == .running
            #expect(pair.bench.states == (isRunning ? Bench.running : [:]), "died at \(limit)")
            #expect(await pair.bench.becomesIdle(), "died at \(limit)")
            // Its next process finds in its own folder what the other could not reach, and takes none of it for a checkpoint.
            await dying.endSealing()
            await pair.stores.first.close()
            let store = try await pair.place.open("desk")
            let heir = try pair.bench.control(store: store)
            let recovery = await heir.recover()
            let kept = try await store.checkpoints(of: "sim").filter { $0.keeper == nil }.map(\.name)
            #expect(pair.bench.folders == kept && kept == (isRunning ? [] : ["s1"]), "died at \(limit): \(recovery)")
            await heir.endSealing()
            await heir.close()
            await pair.second.close()
        }
    }

    @Test func whoWasTakenForDeadCommitsNothing() async throws {
        let pair = try await pair(lease: .milliseconds(500))
        try await pair.bench.up(pair.first)
        _ = await pair.second.recover()
        pair.bench.left.script(.report, .late(1900))
        let id = try await pair.first.suspend(SaveRequest(simulation: "sim"))
        // Its process stands still, its machines are saved by their hosts.
        pair.stores.first.stopPulse()
        var isSettled = false
        for _ in 0..<1_000 where !isSettled {
            try await Task.sleep(for: .milliseconds(20))
            isSettled = try await pair.stores.second.unfinishedOperations().isEmpty
        }
        #expect(isSettled)
        let report = try await pair.first.result(of: id)
        #expect(report.outcome != .done, "\(report)")
        #expect(pair.bench.states == Bench.running)
        #expect(try await pair.stores.second.checkpoints(of: nil).isEmpty)
        #expect(pair.bench.folders.isEmpty)
        #expect(try await pair.stores.second.operation(id)?.state.outcome == .failed)
        await end(pair)
    }

    @Test func aHostThatOneAddsTheOtherKnows() async throws {
        let place = StorePlace(kind: .postgresql, address: try DatabaseServer.shared.get().database())
        let folder = try TemporaryFolder()
        var options = Bench.options
        options.peerPause = .milliseconds(50)
        var controls: [ControlInstance] = []
        for name in ["desk", "bench"] {
            controls.append(
                try ControlInstance(
                    home: "\(folder.path)/\(name)",
                    hypervisors: [ScriptedHypervisor(host: name, folder: folder)],
                    connect: { ScriptedHypervisor(host: $0.name, folder: folder) },
                    store: try await place.open(name),
                    options: options
                )
            )
        }
        for control in controls { _ = await control.recover() }
        _ = try await controls[0].addHost(HostRequest(name: "lab2", address: "lab2:7443"))
        var isKnown = false
        for _ in 0..<500 where !isKnown {
            try await Task.sleep(for: .milliseconds(20))
            isKnown = try await controls[1].hosts().map(\.name).contains("lab2")
        }
        #expect(isKnown)
        // A machine on one's own host is nobody else's to end, nor to call down.
        let spec = SimulationSpec(name: "mine", machines: [.sample("a")])
        #expect(try await controls[0].result(of: controls[0].up(UpRequest(spec: spec))).outcome == .done)
        let error = await #expect(throws: ControlError.self) { try await controls[1].down("mine") }
        #expect(error?.reasons.map(\.code) == ["host-elsewhere"])
        let recovery = await controls[1].recover()
        #expect(recovery.problems.isEmpty, "\(recovery)")
        #expect(try await controls[0].simulations().map(\.state) == [.running])
        #expect(try await controls[1].simulation(named: "mine").problems.map(\.code) == ["host-elsewhere"])
        for control in controls { await control.close() }
    }

    /// Its machines are on agents alone: any control instance can look after it, and one does.
    @Test func triggersOfASimulationOnAgentsAreLookedAfterByOneAndThenByAnother() async throws {
        let place = StorePlace(kind: .postgresql, address: try DatabaseServer.shared.get().database())
        let folder = try TemporaryFolder()
        let lab = ScriptedHypervisor(host: "lab", folder: folder)
        func control(_ name: String) async throws -> ControlInstance {
            var options = Bench.options
            options.peerPause = .milliseconds(50)
            let control = try ControlInstance(
                home: "\(folder.path)/\(name)",
                hypervisors: [ScriptedHypervisor(host: name, folder: folder)],
                connect: { _ in lab },
                store: try await place.open(name),
                options: options
            )
            _ = await control.recover()
            return control
        }
        func becomes(_ wanted: [TriggerState.Phase], _ control: ControlInstance) async throws {
            var phases: [TriggerState.Phase] = []
            for _ in 0..<500 {
                phases = try await control.simulation(named: "far").triggers?.map(\.phase) ?? []
                if phases == wanted { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(phases == wanted)
        }
        var desk: ControlInstance? = try await control("desk")
        _ = try await desk?.addHost(HostRequest(name: "lab", address: "lab:7443"))
        var spec = SimulationSpec(name: "far", machines: [.sample("a", host: "lab")])
        spec.triggers = ["one", "two", "three"].map {
            TriggerSpec(.serial(machine: "a", port: nil, pattern: $0), .checkpoint($0))
        }
        let started = try #require(try await desk?.up(UpRequest(spec: spec)))
        #expect(try await desk?.result(of: started).outcome == .done)
        let bench = try await control("bench")
        // Both are there, and one acts: a checkpoint for each, and not two.
        try await Task.sleep(for: .milliseconds(300))
        lab.says("a", "one\n", of: "far")
        try await becomes([.done, .armed, .armed], bench)
        #expect(try await bench.log("far").map(\.checkpoint) == ["one"])
        #expect(desk?.triggersKept == ["far"] && bench.triggersKept == [])
        // Its daemon ends, with all of its process, and the other one goes on.
        _ = await desk?.windDown()
        await desk?.close()
        desk = nil
        for _ in 0..<500 where bench.triggersKept.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        lab.says("a", "two\n", of: "far")
        try await becomes([.done, .done, .armed], bench)
        #expect(try await bench.log("far").map(\.checkpoint) == ["one", "two"])
        // One that comes back leaves it where it is, until a resume brings it back.
        let again = try await control("desk")
        try await Task.sleep(for: .milliseconds(300))
        #expect(again.triggersKept.isEmpty && bench.triggersKept == ["far"])
        let saved = try await again.suspend(SaveRequest(simulation: "far", checkpoint: "s"))
        let suspended = try await again.result(of: saved)
        #expect(suspended.outcome == .done, "\(suspended.reasons)")
        let resumed = try await again.resume(ResumeRequest(simulation: "far", checkpoint: "s"))
        #expect(try await again.result(of: resumed).outcome == .done)
        for _ in 0..<500 where !bench.triggersKept.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        #expect(again.triggersKept == ["far"] && bench.triggersKept.isEmpty)
        lab.says("a", "three\n", of: "far")
        try await becomes([.done, .done, .done], again)
        #expect(try await bench.log("far").map(\.checkpoint).sorted() == ["one", "s", "three", "two"])
        for control in [again, bench] {
            _ = await control.windDown()
            await control.close()
        }
    }
}

extension ControlInstance {
    fileprivate var triggersKept: [String] { state.withLock { $0.triggers.keys.sorted() } }
}
