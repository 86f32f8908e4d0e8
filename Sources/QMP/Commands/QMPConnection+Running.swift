import JSON
public import Time

/// What `query-status` says.
public struct RunStatus: Hashable, Sendable {
    public var status: RunState
    /// The processors run.
    public var isRunning: Bool
}

extension QMPConnection {
    public func queryStatus(timeout: Span? = usualTimeout) async throws(QMPError) -> RunStatus {
        let reply = try await ask("query-status", timeout: timeout)
        return RunStatus(status: RunState(try reply.string("status")), isRunning: try reply.bool("running"))
    }

    /// Pauses the machine. Emits STOP only if it ran. The answer comes after disks are drained, long after the STOP stamp
    /// maybe.
    public func stop(timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("stop"), timeout: timeout)
    }

    /// Lets the machine run. Emits RESUME only if it was paused.
    public func cont(timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("cont"), timeout: timeout)
    }

    /// Ends the QEMU process.
    public func quit(timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("quit"), timeout: timeout)
    }
}
