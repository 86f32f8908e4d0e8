public import HypervisorAPI
public import Time

/// One hook of an operation: what was run, how it ended, what it said.
public struct HookReport: Codable, Hashable, Sendable {
    public var event: HookEvent
    public var command: [String]
    public var end: HookRun.End
    /// The exit status, or the signal's number.
    public var status: Int32?
    public var duration: Span
    /// Of much the beginning and the end; nil: nothing.
    public var output: String?
    public var errors: String?
    /// Processes that it left running, which were ended.
    public var stragglers: Int?

    private enum CodingKeys: String, CodingKey {
        case event, command, end, status, output, errors, stragglers
        case duration = "durationNs"
    }

    public init(_ hook: HookSpec, _ run: HookRun) {
        event = hook.event
        command = hook.command
        end = run.end
        status = run.status
        duration = run.duration
        output = run.output.isEmpty ? nil : run.output
        errors = run.errors.isEmpty ? nil : run.errors
        stragglers = run.stragglers == 0 ? nil : run.stragglers
    }
}
