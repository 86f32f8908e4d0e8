import AsyncHTTPClient
import Console
import ControlInstance
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// A simulation that lives as long as this process holds it: an answer of the daemon that does not end. However this process ends, its
/// connection ends with it, and then the simulation.
final class HeldLease: Sendable {
    let simulation: String
    private let session: Session
    private let keeper: Task<Void, Never>
    private let ending = Ending()

    /// Whether it is being ended, after which it is not taken once more: the name would be held again, by nobody who knows.
    private final class Ending: Sendable {
        let hasBegun = Mutex(false)
    }

    /// - Throws: when the daemon refuses, or cannot be reached.
    init(of simulation: String, _ client: ControlClient, _ session: Session) async throws {
        self.simulation = simulation
        self.session = session
        let first = try await Self.take(simulation, client)
        keeper = Task { [ending] in
            var connection: HTTPClientResponse? = first
            while !Task.isCancelled {
                if let body = connection?.body {
                    do { for try await _ in body {} } catch {}
                }
                if ending.hasBegun.withLock({ $0 }) { return }
                // The daemon has ended; the next one has the lease on record, and waits a while for us.
                try? await Task.sleep(for: .milliseconds(200))
                if ending.hasBegun.withLock({ $0 }) { return }
                connection = try? await Self.take(simulation, client)
            }
        }
    }

    deinit { keeper.cancel() }

    /// Ends it now, and waits until its simulation has ended; a daemon is started when none runs any more.
    /// - Parameter names: of checkpoints that stay.
    func end(keeping names: [String]) async throws -> LeaseReport {
        defer { keeper.cancel() }
        ending.hasBegun.withLock { $0 = true }
        let body = try JSONText.encode(["keep": names])
        let path = "/v1/leases/\(simulation)/end"
        do {
            return try Received<LeaseReport>(try await session.client().send(.POST, path, body: body)).value
        } catch let failure as CommandFailure where failure.problem.code == "daemon-unreachable" {
            return try Received<LeaseReport>(try await session.client().send(.POST, path, body: body)).value
        }
    }

    private static func take(_ simulation: String, _ client: ControlClient) async throws -> HTTPClientResponse {
        try await client.open(
            .POST,
            "/v1/leases",
            .bytes(ByteBuffer(bytes: try JSONText.encode(["simulation": simulation]))),
            type: "application/json",
            // The daemon closes it when the lease has ended. Were it kept for another request, that one would sometimes be lost with it.
            headers: ["connection": "close"],
            patience: ControlClient.noLimit
        )
    }
}
