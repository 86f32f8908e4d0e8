import JSON
public import Time

/// Work on a disk's layers that QEMU does beside the guest.
public struct BlockJob: Hashable, Sendable {
    public var id: String
    /// `stream`, `commit`, …
    public var kind: String
    /// It waits to be completed.
    public var isReady: Bool
}

/// How such work ended.
public enum BlockJobEnd: Hashable, Sendable {
    case done
    case cancelled
    /// In QEMU's words.
    case failed(String)

    fileprivate init(_ event: QMPEvent) {
        if let why = event.data["error"]?.stringValue {
            self = .failed(why)
        } else {
            self = event.name == QMPConnection.jobCancelled ? .cancelled : .done
        }
    }
}

extension QMPConnection {
    fileprivate static let jobCompleted = "BLOCK_JOB_COMPLETED"
    fileprivate static let jobCancelled = "BLOCK_JOB_CANCELLED"

    public func queryBlockJobs(timeout: Span? = usualTimeout) async throws(QMPError) -> [BlockJob] {
        try await ask("query-block-jobs", timeout: timeout).map { job throws(QMPError) in
            BlockJob(
                id: try job.string("device"),
                kind: try job.string("type"),
                isReady: job.value["ready"]?.boolValue ?? false
            )
        }
    }

    /// Begins to copy into the topmost layer of a running machine's disk whatever lies between it and `base`, on which it then
    /// stands. Nothing else is written.
    /// - Parameter base: the file of a layer below, as the node tells it.
    public func blockStream(_ node: String, base: String, job: String) async throws(QMPError) {
        let arguments: JSONValue = ["job-id": .string(job), "device": .string(node), "base": .string(base)]
        try await execute(QMPCommand("block-stream", arguments: arguments))
    }

    /// What it has done so far stays. Its end is still to come: ``end(ofBlockJob:in:)``.
    public func cancelBlockJob(_ job: String) async throws(QMPError) {
        try await execute(QMPCommand("block-job-cancel", arguments: ["device": .string(job)]))
    }

    /// - Parameter events: subscribed to when the job was still there.
    /// - Returns: nil when the connection ended, or the task was cancelled.
    public func end(ofBlockJob job: String, in events: QMPEvents) async -> BlockJobEnd? {
        for await event in events where event.data["device"]?.stringValue == job {
            if event.name == Self.jobCompleted || event.name == Self.jobCancelled { return BlockJobEnd(event) }
        }
        return nil
    }

    /// Moves what the topmost layer of a running machine's disk holds into the one below, and goes on with that one. Finishes what
    /// another connection has begun.
    public func commitActive(_ node: String, into base: String, timeout: Span = .seconds(60)) async throws(QMPError) {
        let job = "fermata-\(node)"
        let events = events()
        let begun = try await queryBlockJobs().first { $0.id == job }
        if begun == nil {
            let arguments: JSONValue = ["job-id": .string(job), "device": .string(node), "base-node": .string(base)]
            try await execute(QMPCommand("block-commit", arguments: arguments))
        }
        if begun?.isReady != true { try await jobEvent("BLOCK_JOB_READY", of: job, in: events, timeout: timeout) }
        try await execute(QMPCommand("block-job-complete", arguments: ["device": .string(job)]))
        try await jobEvent(Self.jobCompleted, of: job, in: events, timeout: timeout)
    }

    private func jobEvent(
        _ name: String,
        of job: String,
        in events: QMPEvents,
        timeout: Span
    ) async throws(QMPError) {
        let ends: Set = [name, Self.jobCompleted, Self.jobCancelled]
        let found = await events.first(within: timeout) { event in
            event.data["device"]?.stringValue == job && ends.contains(event.name)
        }
        guard let found else { throw QMPError(.timeout(timeout), command: "block-commit") }
        guard found.name == name, found.data["error"] == nil else {
            let why = found.data["error"]?.stringValue ?? "the job ended as \(found.name)"
            throw QMPError(.command(class: "GenericError", description: why), command: "block-commit")
        }
    }
}
