import FoundationEssentials
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// What the sources do are steps of the model: tools/model/transitions.txt is the table that both are held to.
struct ModelTraceTests {
    struct Step: Hashable, CustomStringConvertible {
        var role: String
        var from: String
        var to: String
        var description: String { "\(role) \(from) … \(to)" }
    }

    /// Of the roles that a trace from outside shows.
    private static func table() throws -> Set<Step> {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "tools/model/transitions.txt"), encoding: .utf8)
        let steps = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            $0.split(separator: " ").map(String.init)
        }
        .filter { $0.count == 4 && ["control", "store"].contains($0[0]) }
        .map { Step(role: $0[0], from: $0[1], to: $0[3]) }
        return Set(steps)
    }

    /// Every fault of one host, and every write of the database that fails, in a suspend and in a resume.
    @Test func everyStepThatIsTakenIsOneOfTheModel() async throws {
        let table = try Self.table()
        #expect(table.count > 15, "the table is not where this test looks for it")
        var taken: Set<Step> = []
        for fault in FaultTests.cases where !fault.faults.contains(.hang) && !fault.faults.contains(.hangAfter) {
            taken.formUnion(
                try await trace(failingWrite: nil) { $0.right.world.withLock { $0.script[fault.call] = fault.faults } }
            )
        }
        for write in 1...7 { taken.formUnion(try await trace(failingWrite: write) { _ in }) }
        #expect(taken.subtracting(table).isEmpty, "not in transitions.txt: \(taken.subtracting(table))")
        // A trace that sees little proves little. What is left is what only a new control instance does.
        let seen = taken.filter { $0.role == "control" }
        let expected = table.filter { $0.role == "control" && !($0.from == "armed" && $0.to == "happened") }
        #expect(
            expected.subtracting(seen).isSubset(of: [Step(role: "control", from: "preparing", to: "deciding")]),
            "\(seen)"
        )
    }

    private func trace(failingWrite: Int?, _ prepare: (Bench) -> Void) async throws -> Set<Step> {
        let bench = try Bench()
        let quiet = try bench.control()
        try await bench.up(quiet)
        var taken: Set<Step> = []
        for verb in ["suspend", "resume"] {
            let store = TracingStore(store: bench.store, failing: failingWrite)
            let control = try bench.control(store: store)
            prepare(bench)
            let id: OperationID
            do {
                id =
                    verb == "suspend"
                    ? try await control.suspend(SaveRequest(simulation: "sim"))
                    : try await control.resume(ResumeRequest(simulation: "sim"))
            } catch {
                // Refused before there was an operation.
                continue
            }
            var phases: [OperationPhase] = []
            for await event in try await control.follow(id) {
                if case .phase(_, let phase, _) = event { phases.append(phase) }
            }
            taken.formUnion(Self.steps("control", phases))
            taken.formUnion(Self.steps("store", store.phases(of: id)))
            bench.right.world.withLock { $0.script = [:] }
            _ = await quiet.recover()
            if verb == "suspend", try await quiet.simulation(named: "sim").summary.state == .running {
                _ = try await bench.suspend(quiet)
            }
        }
        return taken
    }

    private static func steps(_ role: String, _ phases: [OperationPhase]) -> Set<Step> {
        var names = ["none"] + phases.map(\.rawValue)
        // An operation that is armed in memory and could not be recorded so is not told to be.
        if role == "control", let last = names.firstIndex(of: "prepared"), names.dropFirst(last + 1).first == "deciding"
        {
            names.insert("armed", at: last + 1)
        }
        return Set(zip(names, names.dropFirst()).filter { $0 != $1 }.map { Step(role: role, from: $0, to: $1) })
    }
}

/// A database that remembers which phases it was told, and may fail at one write.
private final class TracingStore: ForwardingStore, UnsharedStore {
    private struct State {
        var writes = 0
        var phases: [OperationID: [OperationPhase]] = [:]
    }

    let store: any Store
    private let failing: Int?
    private let state = Mutex(State())

    init(store: any Store, failing: Int?) {
        self.store = store
        self.failing = failing
    }

    func phases(of id: OperationID) -> [OperationPhase] { state.withLock { $0.phases[id] ?? [] } }

    func apply(_ change: StoreChange) async throws(StoreError) {
        let fails = state.withLock { state in
            state.writes += 1
            return state.writes == failing
        }
        if fails { throw StoreError("the disk is full") }
        try await store.apply(change)
        if let operation = change.operation {
            state.withLock { $0.phases[operation.id, default: []].append(operation.state.phase) }
        }
    }
}
