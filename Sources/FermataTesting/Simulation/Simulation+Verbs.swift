public import FoundationEssentials

extension Simulation {
    /// Stops all machines at one instant, saves them, and ends their processes.
    /// - Parameters:
    ///   - checkpoint: its name; nil: the next of s1, s2…
    ///   - instant: nil: the first at which they can.
    ///   - span: from now on, instead of an instant.
    /// - Throws: what `fermata suspend` refuses, as docs/errors.md has it; exit code 4 when the instant was missed, which changed nothing.
    @discardableResult
    public func suspend(
        _ checkpoint: String? = nil,
        at instant: Date? = nil,
        after span: Duration? = nil
    ) async throws(FermataError) -> Checkpoint {
        try await save("suspend", checkpoint, [], instant, span)
    }

    /// Saves all machines as they are at one instant; they run on.
    /// - Parameters: as ``suspend(_:at:after:)``.
    /// - Throws: as ``suspend(_:at:after:)``.
    @discardableResult
    public func checkpoint(
        _ checkpoint: String? = nil,
        at instant: Date? = nil,
        after span: Duration? = nil
    ) async throws(FermataError) -> Checkpoint {
        try await save("checkpoint", checkpoint, [], instant, span)
    }

    /// Lets all machines go on at one instant.
    /// - Parameters:
    ///   - checkpoint: the name of one of its checkpoints; nil: what it was suspended to.
    ///   - clock: what their clocks read then; nil: as the manifest says, which is `continue` unless it says something.
    ///   - scope: which clocks that moves; nil: real-time clocks.
    ///   - instant: nil: the first at which they can.
    ///   - span: from now on, instead of an instant.
    /// - Throws: what `fermata resume` refuses; exit code 4 when the instant was missed, which changed nothing.
    public func resume(
        _ checkpoint: String? = nil,
        clock: ClockPolicy? = nil,
        scope: ClockPolicy.Scope? = nil,
        at instant: Date? = nil,
        after span: Duration? = nil
    ) async throws(FermataError) {
        let when = try TimeText.words(at: instant, after: span)
        try await control.run(["resume", own(checkpoint)] + Self.words(clock, scope) + when)
    }

    /// Goes back to an older checkpoint. What ran until now is gone, unless it is kept.
    /// - Parameters:
    ///   - checkpoint: the name of one of its checkpoints.
    ///   - name: of a checkpoint for what ran until now.
    /// - Throws: what `fermata rewind` refuses.
    public func rewind(
        _ checkpoint: String,
        clock: ClockPolicy? = nil,
        scope: ClockPolicy.Scope? = nil,
        keepingAs name: String? = nil
    ) async throws(FermataError) {
        let kept = name.map { ["--as", $0] } ?? ["--discard"]
        try await control.run(["rewind", own(checkpoint)] + Self.words(clock, scope) + kept)
    }

    /// Ends its machines as if they were switched off; its checkpoints stay until the test is over.
    public func down() async throws(FermataError) { try await control.run(["down", name]) }

    /// Suspends it as it is now, to be looked at later; it is the last thing that it does.
    /// - Parameter note: of the checkpoint.
    func keepFailed(_ note: String) async throws(FermataError) -> Checkpoint {
        let status = try await status
        let saved: Checkpoint
        if status.state == "suspended", let last = status.checkpoint {
            saved = Checkpoint(simulation: name, name: last)
        } else {
            // The label keeps it from being cleared away as old.
            saved = try await save("suspend", Self.failed, ["--label", "keep=", "--note", note], nil, nil)
        }
        keep(saved)
        return saved
    }

    private func save(
        _ verb: String,
        _ checkpoint: String?,
        _ more: [String],
        _ instant: Date?,
        _ span: Duration?
    ) async throws(FermataError) -> Checkpoint {
        let named = checkpoint.map { ["--as", $0] } ?? []
        let words = [verb, name] + named + more + (try TimeText.words(at: instant, after: span))
        let answer = try await control.run(words)
        let report = try Control.decode(SaveReport.self, answer, "fermata \(words.joined(separator: " "))")
        return Checkpoint(simulation: name, name: report.checkpoint)
    }

    private struct SaveReport: Decodable { let checkpoint: String }

    private func own(_ checkpoint: String?) -> String { checkpoint.map { "\(name)@\($0)" } ?? name }

    static func words(_ clock: ClockPolicy?, _ scope: ClockPolicy.Scope?) -> [String] {
        (clock.map { ["--clock", $0.description] } ?? []) + (scope.map { ["--clock-scope", $0.rawValue] } ?? [])
    }
}
