import Batch
import FoundationEssentials
import HostClock
import Time

/// A batch while it is run: a client of the API that begins what the schedule says.
final class BatchRun: Sendable {
    private let file: BatchFile
    private let journal: BatchJournal
    private let teller: BatchTeller
    private let session: Session
    private let parallel: Int

    private enum Event: Sendable {
        case prepared(BatchCopy?, CombinationResult?)
        /// nil: called off in the middle, and so without a result.
        case ended(Int, CombinationResult?)
    }

    init(_ file: BatchFile, _ journal: BatchJournal, _ teller: BatchTeller, _ session: Session, parallel: Int) {
        self.file = file
        self.journal = journal
        self.teller = teller
        self.session = session
        self.parallel = parallel
    }

    /// - Throws: when no control instance answers, or a result cannot be written down; all that was started has ended then, too.
    func perform() async throws -> BatchReport {
        let started = HostInstant.now
        // Found out once, and not by each combination.
        _ = try await session.client()
        var results = journal.results
        teller.tellBeginning(done: results.count)
        var schedule = Schedule(
            count: file.batch.combinations.count,
            done: Set(results.map { $0.number - 1 }),
            prepares: !file.batch.prepare.isEmpty,
            parallel: parallel
        )
        var preparation: CombinationResult?
        var prepared: BatchCopy?
        var failure: (any Error)?
        await withTaskGroup(of: Event.self) { tasks in
            events: while true {
                if Task.isCancelled { schedule.stop() }
                switch schedule.next() {
                case .prepare: tasks.addTask { await self.prepare() }
                case .begin(let index):
                    let base = prepared
                    tasks.addTask { .ended(index, await self.perform(index, from: base)) }
                case .end: break events
                case .wait:
                    guard let event = await tasks.next() else { break events }
                    switch event {
                    case .prepared(let copy, let result):
                        (prepared, preparation) = (copy, result)
                        schedule.prepared(result?.outcome ?? .skipped)
                    case .ended(let index, let result):
                        schedule.ended(index)
                        guard let result else { continue }
                        results.append(result)
                        do {
                            try journal.add(result)
                        } catch {
                            failure = error
                            schedule.stop()
                        }
                    }
                }
            }
        }
        await prepared?.end()
        if let failure { throw failure }
        return BatchReport(
            file.batch,
            file: file.path,
            started: started,
            duration: HostInstant.now - started,
            prepare: preparation,
            results: results,
            isCancelled: Task.isCancelled
        )
    }

    private func prepare() async -> Event {
        let name = CopyName.make(of: file.batch.name, "prepare")
        let steps = file.batch.prepare
        let begin = HostInstant.now
        var copy: BatchCopy?
        let result = await sequence(steps, "prepare", number: 0, values: [], began: begin) {
            let made = try await BatchCopy(name, file, session, teller)
            copy = made
            return { try await made.perform($0, from: nil) }
        } finally: {
            try await copy?.settle()
        }
        if result?.outcome != .passed {
            await copy?.end()
            copy = nil
        }
        return .prepared(copy, result)
    }

    private func perform(_ index: Int, from base: BatchCopy?) async -> CombinationResult? {
        let combination = file.batch.combinations[index]
        let name = CopyName.make(of: file.batch.name, "\(combination.number)")
        var copy: BatchCopy?
        let result = await sequence(
            combination.steps,
            combination.name,
            number: combination.number,
            values: combination.values,
            began: HostInstant.now
        ) {
            let made = try await BatchCopy(name, file, session, teller)
            copy = made
            return { try await made.perform($0, from: base) }
        } finally: {
        }
        await copy?.end()
        return result
    }

    /// - Parameter begin: makes what performs the steps.
    /// - Returns: nil when it was called off.
    private func sequence(
        _ steps: [Step],
        _ name: String,
        number: Int,
        values: [Combination.Value],
        began: HostInstant,
        _ begin: () async throws -> (Step) async throws -> StepEnd,
        finally finish: () async throws -> Void
    ) async -> CombinationResult? {
        var sequence = StepSequence(steps)
        var performer: ((Step) async throws -> StepEnd)?
        while let step = sequence.next {
            let stepBegan = HostInstant.now
            var end: StepEnd
            do {
                if performer == nil { performer = try await begin() }
                end = try await performer?(step) ?? .passed
                if end.outcome == .passed, sequence.results.count == steps.count - 1 { try await finish() }
            } catch {
                end = StepEnd(.error, "\(error)")
            }
            if Task.isCancelled { return nil }
            if let result = sequence.ended(end, after: HostInstant.now - stepBegan) { teller.tell(result, of: name) }
        }
        return CombinationResult(
            number: number,
            name: name,
            values: values,
            outcome: sequence.outcome,
            started: began,
            duration: HostInstant.now - began,
            steps: sequence.results
        )
    }
}
