import AsyncHTTPClient
import Batch
import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import NIOCore
import NIOHTTP1
import SerialText
import Time

/// A machine's serial console as a batch reads it, through the API: from the copy's beginning, however late it is asked.
actor BatchConsole {
    private let client: ControlClient
    private let path: String
    private var transcript = Transcript()
    /// Of all that ever came: how much has been read.
    private var end: UInt64 = 0
    /// Whether the daemon has begun to tell.
    private var isTold = false
    /// Why nothing is heard now, if the machine's host cannot be asked.
    private var loss: SerialState?

    /// For the message of a wait that was in vain.
    private static let shown = 10
    /// After so long without anything new, all that there is has been read.
    private static let quiet: Duration = .seconds(1)

    init(_ client: ControlClient, _ path: String) {
        self.client = client
        self.path = path
    }

    /// - Returns: the line in which it was found; nil when it did not come.
    /// - Throws: when the machine's host cannot be asked: what the machine has said is not known then.
    func wait(for pattern: String, _ limit: Span) async throws -> String? {
        if let line = try transcript.find(pattern) { return line }
        return try await withThrowingTaskGroup(of: String?.self) { tasks in
            tasks.addTask { try await self.read { try await self.find(pattern) } }
            tasks.addTask {
                try await Task.sleep(for: limit.duration)
                return nil
            }
            defer { tasks.cancelAll() }
            return try heard(try await tasks.next() ?? nil)
        }
    }

    /// - Returns: the line in which it was found; nil: nowhere in all that has come until now.
    /// - Throws: likewise.
    func contains(_ pattern: String) async throws -> String? {
        if let line = try transcript.contains(pattern) { return line }
        do {
            return try await withThrowingTaskGroup(of: String?.self) { tasks in
                tasks.addTask { try await self.read { try await self.foundAnywhere(pattern) } }
                tasks.addTask {
                    var seen: UInt64?
                    while await !self.isTold { try await Task.sleep(for: .milliseconds(20)) }
                    // A console that is never quiet has an end, too.
                    for _ in 0..<10 {
                        let end = await self.end
                        if seen == end { return nil }
                        seen = end
                        try await Task.sleep(for: Self.quiet)
                    }
                    return nil
                }
                defer { tasks.cancelAll() }
                return try heard(try await tasks.next() ?? nil)
            }
        } catch let failure as CommandFailure where failure.problem.code == "machine-not-running" {
            // Suspended: it says nothing more.
            return nil
        }
    }

    func send(_ text: String) async throws {
        let body = try JSONText.encode(["base64": Data(text.utf8).base64EncodedString()])
        _ = try await client.send(.POST, path, body: body)
    }

    var last: [String] { transcript.last(Self.shown) }

    private func heard(_ line: String?) throws -> String? {
        guard line == nil, let loss else { return line }
        throw CommandFailure(.failed, code: loss.reasons.first?.code ?? "host-unreachable", loss.message)
    }

    private func find(_ pattern: String) throws -> String? { try transcript.find(pattern) }

    private func foundAnywhere(_ pattern: String) throws -> String? { try transcript.contains(pattern) }

    /// Until `isEnough` gives something.
    private func read(_ isEnough: @Sendable () async throws -> String?) async throws -> String? {
        isTold = false
        let response = try await client.open(
            .GET,
            path,
            headers: ["last-event-id": "\(end)", "accept": "text/event-stream"],
            patience: ControlClient.noLimit
        )
        isTold = true
        var events = SerialEvents()
        loss = nil
        for try await chunk in response.body {
            for event in try events.take(chunk.readableBytesView) {
                switch event {
                case .state(let state): loss = state.state == .lost ? state : nil
                case .output(let bytes, let end):
                    transcript.take(bytes)
                    self.end = end
                    if let found = try await isEnough() { return found }
                }
            }
        }
        throw CommandFailure(.failed, code: "daemon-lost", "the daemon went away while a console was read")
    }
}
