import ControlInstance
import HypervisorAPI
import Testing
import Time

extension PairFlow {
    /// Goes back to a checkpoint again and again. What each guest says first is the same in every run, also though it has done other
    /// things in between, and no byte of the checkpoint changes.
    mutating func rewinds(to checkpoint: String, times: Int) async throws {
        let digests = try await lab.digests(of: checkpoint, spec.name)
        var runs: [[String: [FirstWords]]] = []
        var kept: [String] = []
        for run in 1...times {
            // Most of what is kept would be kept for nothing.
            let keeps = run <= 2
            let keeping: RewindRequest.Keeping = keeps ? .checkpoint("kept-\(run)") : .nothing
            let (report, said) = try await rewind(to: checkpoint, keeping: keeping)
            try #require(report.outcome == .done, "run \(run): \(report.reasons)")
            #expect(report.checkpoint == checkpoint && report.kept == (keeps ? "kept-\(run)" : nil))
            kept += [report.kept].compactMap { $0 }
            #expect(lab.processes().count == spec.machines.count)
            // Nobody talks to the guests before: the echo of a question can fall into the middle of a line.
            runs.append(try await firstWords(after: said))
            consoles = try await lab.consoles(of: spec.name)
            // Each run goes somewhere else, further than the last one.
            let now = try await samples("rewound-\(run)")
            try await expectSession("rewound-\(run)", since: now["client"])
            try await expectDisks("rewound-\(run)")
        }
        for (run, words) in runs.enumerated() { #expect(words == runs.first, "run \(run + 1)") }
        #expect(try await lab.digests(of: checkpoint, spec.name) == digests)
        let verdict = try await lab.control.verify(spec.name, checkpoint)
        #expect(verdict.exitCode == 0, "\(verdict.reasons)")
        _ = try await lab.suspend(spec.name, as: "last")
        let parents = try await lab.control.log(spec.name).filter { (kept + ["last"]).contains($0.checkpoint) }
        #expect(parents.map(\.parent) == Array(repeating: checkpoint, count: kept.count + 1))
    }

    /// - Returns: also how long each guest's log was when the old machines were gone, and the new ones not yet there.
    private func rewind(
        to checkpoint: String,
        keeping: RewindRequest.Keeping
    ) async throws -> (OperationReport, [String: Int]) {
        let goal = ResumeRequest(simulation: spec.name, checkpoint: checkpoint)
        let id = try await lab.control.rewind(RewindRequest(goal, keeping: keeping))
        var lengths: [String: Int] = [:]
        for await event in try await lab.control.follow(id) {
            switch event {
            case .phase(id, .preparing, _): lengths = try logLengths()
            case .result(let report): return (report, lengths)
            default: break
            }
        }
        throw TestSupportError("no result of the rewind")
    }

    private func log(of machine: String) -> String { lab.file("logs/\(spec.name)/\(machine)/serial0.log") }

    /// One log over all runs: what a run says begins where it ended before.
    private func logLengths() throws -> [String: Int] {
        Dictionary(
            uniqueKeysWithValues: try spec.machines.map {
                ($0.name, try TemporaryFolder.contents(of: log(of: $0.name)).count)
            }
        )
    }

    private func firstWords(after lengths: [String: Int]) async throws -> [String: [FirstWords]] {
        var words: [String: [FirstWords]] = [:]
        for (machine, length) in lengths {
            for _ in 0..<1200 where (words[machine]?.count ?? 0) < 2 {
                let lines = try GuestRecord.log(at: log(of: machine), from: length).filter { $0.event == "lines" }
                words[machine] = lines.prefix(2).map { FirstWords($0) }
                try await Task.sleep(for: .milliseconds(50))
            }
            try #require(words[machine]?.count == 2, "\(machine) says nothing")
        }
        return words
    }

    /// Of a guest's line what does not depend on how fast the host is.
    struct FirstWords: Equatable {
        var sequence, lines, gaps, connections: Int64
        var closed: Bool

        init(_ record: GuestRecord) {
            sequence = record.sequence
            lines = record.lines
            gaps = record.gaps
            connections = record.connections
            closed = record.closed
        }
    }
}
