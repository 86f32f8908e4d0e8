import DatabaseServer
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// The database's server dies in the middle of an operation.
@Suite(.enabled(if: DatabaseServer.isAvailable, "no PostgreSQL server is installed (Debian: postgresql)"))
struct DatabaseLossTests {
    enum Verb: String, CaseIterable, Sendable { case suspend, resume }

    @Test(arguments: Verb.allCases, [true, false])
    func losesNothingWhateverWasJustWritten(_ verb: Verb, _ comesBack: Bool) async throws {
        let server = try DatabaseServer()
        var crashes = 0
        for moment in CrashingStore.Moment.allCases {
            for write in 1...6 {
                let folder = try TemporaryFolder()
                let place = StorePlace(kind: .postgresql, address: try server.database())
                let bench = Bench(folder, try await place.open())
                crashes += try await live(verb, bench, server, write, moment, comesBack: comesBack) ? 1 : 0
                await bench.store.close()
            }
        }
        // The record, armed, happened, the decision, the end.
        #expect(crashes >= 10, "only \(crashes) crashes came")
    }

    /// - Returns: whether the server died before the operation had ended.
    private func live(
        _ verb: Verb,
        _ bench: Bench,
        _ server: DatabaseServer,
        _ write: Int,
        _ moment: CrashingStore.Moment,
        comesBack: Bool
    ) async throws -> Bool {
        var options = Bench.options
        options.databasePatience = comesBack ? .seconds(60) : .milliseconds(300)
        options.settlePause = .milliseconds(100)
        options.longestSettlePause = .milliseconds(500)
        let first = try bench.control(options: options)
        try await bench.up(first)
        if verb == .resume { #expect(try await bench.suspend(first).outcome == .done) }
        await first.endSealing()
        let store = CrashingStore(store: bench.store, server: server, at: write, moment, comesBack: comesBack)
        let control = try bench.control(store: store, options: options)
        let context = "\(verb), server died \(moment) write \(write)"
        var outcome: OperationOutcome?
        do {
            let report =
                switch verb {
                case .suspend: try await bench.suspend(control)
                case .resume: try await bench.resume(control)
                }
            outcome = report.outcome
            if write > 2, comesBack {
                #expect(report.outcome == .done, "a server that comes back undoes nothing: \(context): \(report)")
            }
            // Nothing but what is certain.
            #expect(report.outcome != .unknown || !comesBack, "\(context): \(report)")
        } catch let error as ControlError {
            #expect(error.reasons.map(\.code) == ["database-failed"], "\(context)")
            outcome = .failed
        }
        if store.hasCrashed, !comesBack { try server.start() }
        let settled = await becomesSettled(bench)
        #expect(settled, "\(context)")
        #expect(await bench.becomesIdle(), "\(context)")
        await control.endSealing()
        let simulation = try #require(try await bench.store.simulation("sim"), "\(context)")
        let checkpoints = try await bench.store.checkpoints(of: "sim").map(\.name)
        switch simulation.state {
        case .running:
            #expect(bench.states == Bench.running, "\(context)")
            #expect(outcome != .done || verb == .resume, "\(context)")
            #expect(checkpoints == (verb == .resume ? ["s1"] : []), "\(context)")
        case .suspended:
            #expect(bench.states.isEmpty, "\(context)")
            #expect(outcome != .done || verb == .suspend, "\(context)")
            #expect(checkpoints == ["s1"], "\(context)")
        default: Issue.record("\(context): it is \(simulation.state)")
        }
        // What was said to have failed had no effect.
        if outcome == .failed || outcome == .refused {
            #expect(simulation.state == (verb == .suspend ? .running : .suspended), "\(context)")
        }
        #expect(checkpoints == bench.folders, "\(context)")
        return store.hasCrashed
    }

    /// By itself, without a new start.
    private func becomesSettled(_ bench: Bench) async -> Bool {
        for _ in 0..<1_000 {
            if let left = try? await bench.store.unfinishedOperations(), left.isEmpty { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
