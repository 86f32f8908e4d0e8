import CShims
import Console
import ControlInstance
import FoundationEssentials
import Glibc
import GuestClock
import HypervisorAPI
import NIOHTTP1
import Synchronization

/// One command beside a simulation of its own: brought up, run, cleaned up.
final class CommandRun: Sendable {
    /// What a signal means now.
    private enum Phase {
        /// nil: no operation has begun.
        case bringingUp(OperationID?)
        case running(pidfd: Int32)
        case cleaningUp(asked: Bool)
    }

    /// Of the checkpoint of a run that failed.
    static let checkpoint = "failed"

    let simulation: String
    private let program: Program
    private let session: Session
    private let client: ControlClient
    private let signals: SignalFeed
    private let phase = Mutex(Phase.bringingUp(nil))
    private let interrupted = Mutex(false)

    init(_ program: Program, in simulation: String, _ client: ControlClient, _ session: Session) throws {
        self.program = program
        self.simulation = simulation
        self.client = client
        self.session = session
        signals = try SignalFeed()
    }

    /// - Parameter start: path and body of the request that brings the simulation up.
    /// - Returns: what the command ended with, and whether a checkpoint was kept.
    /// - Throws: when the simulation does not come up, or the command cannot be run; all is cleaned up then, too.
    func run(_ start: (path: String, body: Data), checkpointingFailure: Bool) async throws -> (
        status: Int32, kept: Bool
    ) {
        let listening = Task {
            for await signal in signals.signals { await take(signal) }
        }
        defer { listening.cancel() }
        let lease = try await HeldLease(of: simulation, client, session)
        let status: Int32
        do {
            status = try await command(start)
        } catch {
            phase.withLock { $0 = .cleaningUp(asked: false) }
            try? await cleanUp(lease, keeping: [])
            throw error
        }
        phase.withLock { $0 = .cleaningUp(asked: false) }
        let kept = status != 0 && checkpointingFailure ? await keep(status) : false
        try await cleanUp(lease, keeping: kept ? [Self.checkpoint] : [])
        return (status, kept)
    }

    private func command(_ start: (path: String, body: Data)) async throws -> Int32 {
        let report = try await bringUp(start)
        guard report.outcome == .done, !interrupted.withLock({ $0 }) else { throw Self.failure(report) }
        let detail = try await client.get(SimulationDetail.self, "/v1/simulations/\(simulation)").value
        let environment = RunEnvironment(detail, session, host: try await session.ownHost(client)).variables
        // Between the two nobody looks at `interrupted` any more, and no signal is lost: it is either noted there or passed on.
        let pidfd = try phase.withLock { phase in
            guard !interrupted.withLock({ $0 }) else { throw Self.failure(report) }
            let pidfd = try program.start(environment: environment, ignoring: signals.ignored)
            phase = .running(pidfd: pidfd)
            return pidfd
        }
        defer { close(pidfd) }
        return await Program.end(of: pidfd)
    }

    private func bringUp(_ start: (path: String, body: Data)) async throws -> OperationReport {
        let follower = OperationFollower(session: session, client: client, title: "start of \(simulation)")
        let answer = try await client.begin(start.path, body: start.body)
        // A clone is one of possibly several.
        let begun = try? Received<ClonesStarted>(answer).value.clones.first.map { ($0.operation, $0.events) }
        let (operation, events): (OperationID, String)
        if let begun = begun ?? nil {
            (operation, events) = begun
        } else {
            let started = try Received<OperationStarted>(answer).value
            (operation, events) = (started.operation, started.events)
        }
        phase.withLock { $0 = .bringingUp(operation) }
        if interrupted.withLock({ $0 }) { await cancel(operation) }
        return try await follower.follow(operation, events)
    }

    private func take(_ signal: SignalFeed.Signal) async {
        switch phase.withLock({ $0 }) {
        case .bringingUp(let operation):
            guard [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal.number) else { return }
            interrupted.withLock { $0 = true }
            if let operation { await cancel(operation) }
        case .running(let pidfd):
            // What a terminal sends, the command has from it already: it is in the same foreground.
            if !signal.isTerminals { fermata_pidfd_signal(pidfd, signal.number) }
        case .cleaningUp(let asked):
            guard [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal.number) else { return }
            guard asked else {
                session.terminal.note("ending \(simulation); once more leaves that to the daemon")
                phase.withLock { $0 = .cleaningUp(asked: true) }
                return
            }
            Glibc.exit(ExitStatus.cancelled.rawValue)
        }
    }

    private func cancel(_ operation: OperationID) async {
        _ = try? await client.send(.POST, "/v1/operations/\(operation)/cancel")
    }

    /// Suspends it as it is now.
    /// - Returns: whether that was done; if not, it is told why.
    private func keep(_ status: Int32) async -> Bool {
        let words = program.words.joined(separator: " ")
        let body = OperationBody(
            checkpoint: Self.checkpoint,
            when: .asap,
            labels: ["exit-status": "\(status)", Annotations.keep: ""],
            note: String("after: \(words)".prefix(500))
        )
        do {
            let path = "/v1/simulations/\(simulation)/suspend"
            let started = try Received<OperationStarted>(
                try await client.begin(path, body: try JSONText.encode(body))
            ).value
            let follower = OperationFollower(session: session, client: client, title: "suspend of \(simulation)")
            let report = try await follower.follow(started.operation, started.events)
            if report.outcome == .done { return true }
            OperationText(report).writeFailure(session.terminal)
        } catch {
            session.terminal.note("fermata: no checkpoint of \(simulation) can be made: \(error)")
        }
        return false
    }

    private func cleanUp(_ lease: HeldLease, keeping names: [String]) async throws {
        let report = try await lease.end(keeping: names)
        for reason in report.reasons { session.terminal.note("fermata: not all of \(simulation) is gone: \(reason)") }
    }

    private static func failure(_ report: OperationReport) -> CommandFailure {
        if report.outcome == .done {
            return CommandFailure(
                .cancelled,
                code: "cancelled",
                "\(report.simulation): told to end before the command ran"
            )
        }
        let reasons = report.reasons.map(\.description).joined(separator: "; ")
        return CommandFailure(
            problem: Problem(
                code: report.reasons.first?.code ?? report.outcome.rawValue,
                detail: "\(report.simulation) does not come up (\(report.outcome.rawValue))"
                    + (reasons.isEmpty ? "" : ": \(reasons)"),
                reasons: report.reasons,
                exitCode: report.exitCode
            )
        )
    }
}
