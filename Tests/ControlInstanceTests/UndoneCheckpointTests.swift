import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// A suspend whose checkpoint is whole already, and that is undone all the same: its guests go on writing in the disks that the
/// checkpoint holds.
struct UndoneCheckpointTests {
    private static let refusals = Array(repeating: ScriptedHypervisor.Fault.refuse("x"), count: 40)
    /// Of the writes of a suspend, the one with the decision: begun, armed, happened, decided.
    private static let decision = 4

    private func refuse(_ call: ScriptedHypervisor.Call, _ bench: Bench) {
        for host in [bench.left, bench.right] { host.world.withLock { $0.script = [call: Self.refusals] } }
    }

    private func obey(_ bench: Bench) {
        for host in [bench.left, bench.right] { host.world.withLock { $0.script = [:] } }
    }

    /// A suspend that cannot be decided, and that is not undone either.
    private func undecidable(_ bench: Bench) async throws -> (ControlInstance, OperationReport) {
        try await bench.up(try bench.control())
        let control = try bench.control(
            store: FailingStore(store: bench.store, from: Self.decision, forGood: false)
        )
        refuse(.rollback, bench)
        let report = try await bench.suspend(control)
        #expect(report.outcome == .unknown && report.reasons.contains { $0.code == "database-failed" })
        return (control, report)
    }

    @Test func isNoCheckpointAnyMoreBeforeItsGuestsGoOn() async throws {
        let bench = try Bench()
        let (control, report) = try await undecidable(bench)
        #expect(bench.folders == ["s1.partial"])
        obey(bench)
        #expect(try await control.settle(report.operation).outcome == .failed)
        #expect(bench.folders.isEmpty && bench.states == Bench.running)
    }

    @Test func isGoneWhenItsSimulationIsTakenDown() async throws {
        let bench = try Bench()
        let (control, _) = try await undecidable(bench)
        #expect(try await control.down("sim").before == .unknown)
        #expect(bench.folders.isEmpty)
        #expect(try await bench.store.unfinishedOperations().isEmpty)
        #expect(await (try bench.control()).recover() == RecoveryReport())
        #expect(try await control.log("sim").isEmpty)
    }

    /// The instance dies between the checkpoint and the decision; the next reaches no host.
    @Test func isNoCheckpointForTheNextInstanceEither() async throws {
        let bench = try Bench()
        try await bench.up(try bench.control())
        let fuse = Fuse(limit: 2 * Self.decision - 1)
        let first = try bench.control(store: FusedStore(store: bench.store, fuse: fuse))
        let work = Task { try await bench.suspend(first) }
        #expect(await fuse.blownOrEnded(work) && bench.folders == ["s1"])
        refuse(.rollback, bench)
        let second = try bench.control()
        let recovery = await second.recover()
        #expect(recovery.operations.map(\.outcome) == [.unknown] && recovery.foundCheckpoints.isEmpty)
        #expect(bench.folders == ["s1.partial"])
        obey(bench)
        #expect(await (try bench.control()).recover().operations.map(\.outcome) == [.failed])
        #expect(bench.folders.isEmpty && bench.states == Bench.running)
    }

    /// The same when the database is lost, and only the hosts know of it.
    @Test func isNoCheckpointForAnInstanceThatDoesNotKnowTheOperation() async throws {
        let bench = try Bench()
        // It does not settle by itself what others are asked to settle here, however slow the host is.
        var options = Bench.options
        options.settlePause = .seconds(600)
        let control = try bench.control(options: options)
        try await bench.up(control)
        refuse(.commit, bench)
        #expect(try await bench.suspend(control).outcome == .unknown && bench.folders == ["s1"])
        // It dies before any host has heard of the rollback.
        let fuse = Fuse(limit: 1)
        let second = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite")) {
            FusedHypervisor(hypervisor: $0, fuse: fuse)
        }
        let work = Task { () async throws in await second.recover() }
        #expect(await fuse.blownOrEnded(work) && bench.folders == ["s1.partial"])
        obey(bench)
        let third = try bench.control(store: SQLiteStore(path: "\(bench.home)/new.sqlite"))
        #expect(await third.recover().foundCheckpoints.isEmpty)
        #expect(bench.folders.isEmpty && bench.states == Bench.running)
    }
}
