import Testing

extension FaultLab {
    /// What has to be so after every fault: all that runs, runs; nothing is half done.
    /// - Parameter expected: run states that QEMU itself has to tell, of exactly these machines.
    func expect(_ expected: [String: String], _ what: String, location: SourceLocation = #_sourceLocation)
        async throws
    {
        #expect(try await runStates() == expected, "\(what)", sourceLocation: location)
        expectSettled(what, location: location)
        expectBalanced(held: !expected.isEmpty, what, location: location)
    }

    /// The lab's resource is held exactly while machines run, and was never taken twice.
    private func expectBalanced(held: Bool, _ what: String, location: SourceLocation) {
        let lines = ledgerLines
        #expect(
            (lines.last == "acquired") == held,
            "\(what): the resource is \(held ? "not held" : "still held"): \(lines)",
            sourceLocation: location
        )
        #expect(
            !zip(lines, lines.dropFirst()).contains { $0 == "acquired" && $1 == "acquired" },
            "\(what): the resource was taken twice: \(lines)",
            sourceLocation: location
        )
    }

    /// Nothing under way, and nothing that never became a checkpoint.
    func expectSettled(_ what: String, location: SourceLocation = #_sourceLocation) {
        #expect(journal == [], "\(what): an operation is still in the journal", sourceLocation: location)
        #expect(
            !checkpoints.contains { $0.contains("partial") || $0.hasPrefix(".") },
            "\(what): \(checkpoints)",
            sourceLocation: location
        )
    }

    func expectWhole(_ checkpoint: String, _ what: String, location: SourceLocation = #_sourceLocation) async throws {
        let verify = try await fermata("verify", "\(Self.name)@\(checkpoint)")
        #expect(verify.status == 0, "\(what): \(verify)", sourceLocation: location)
    }

    /// Runs `body`, which breaks something in a step that it holds open. A host that was too busy to hold it there is given
    /// another chance, with the number of the attempt; none of them may break what has to be so.
    /// - Throws: when the step was never hit.
    func holding(_ step: String, _ body: (Int) async throws -> Void) async throws {
        let before = try await state()
        for attempt in 1...5 {
            do {
                return try await body(attempt)
            } catch let missed as StepMissed {
                print("'\(step)' was not hit in attempt \(attempt): \(missed.why)")
                // Whatever is still under way ends like this, too.
                try await killDaemon()
                switch (before, try await state()) {
                case ("running", "suspended"): try await done("resume", Self.name)
                case ("running", _): break
                case (_, "running"): try await done("down", Self.name)
                default: break
                }
            }
        }
        throw CLIError("the step '\(step)' was never hit")
    }
}
