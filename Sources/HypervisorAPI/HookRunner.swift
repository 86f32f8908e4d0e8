public import Time

/// Runs hooks. However a hook behaves, it comes to an end, and nothing of it is left.
public protocol HookRunner: Sendable {
    /// Ends soon after the hook's timeout at the latest, and when its task is cancelled.
    /// - Parameters:
    ///   - variables: added to the environment.
    ///   - input: what it reads.
    func run(_ hook: HookSpec, variables: [String: String], input: [UInt8]) async -> HookRun
}

/// How a hook ended, and what it said.
public struct HookRun: Codable, Hashable, Sendable {
    public enum End: String, Codable, Hashable, Sendable {
        case exited, signal, timeout, cancelled
        case notStarted = "not-started"
    }

    public var end: End
    /// The exit status, or the signal's number.
    public var status: Int32?
    public var duration: Span
    /// Of much the beginning and the end.
    public var output: String
    public var errors: String
    /// Processes that it left running, which were ended.
    public var stragglers: Int

    enum CodingKeys: String, CodingKey {
        case end, status, output, errors, stragglers
        case duration = "durationNs"
    }

    public init(
        end: End,
        status: Int32? = nil,
        duration: Span,
        output: String = "",
        errors: String = "",
        stragglers: Int = 0
    ) {
        self.end = end
        self.status = status
        self.duration = duration
        self.output = output
        self.errors = errors
        self.stragglers = stragglers
    }

    public var succeeded: Bool { end == .exited && status == 0 }

    /// What it said last, on standard error rather than on standard output.
    public var lastLine: String? {
        (errors.isEmpty ? output : errors).split(whereSeparator: \.isNewline).last.map { String($0.prefix(500)) }
    }
}
