import Testing

extension FaultLab {
    /// What has to be so after every fault: all that runs, runs; nothing is half done.
    /// - Parameter expected: run states that QEMU itself has to tell, of exactly these machines.
    func expect(_ expected: [String: String], _ what: String, location: SourceLocation = #_sourceLocation)
        async throws
    {
        #expect(try await runStates() == expected, "\(what)", sourceLocation: location)
        expectSettled(what, location: location)
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
}
