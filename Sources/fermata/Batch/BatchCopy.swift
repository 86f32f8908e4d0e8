import Batch
import Console
import ControlInstance
import FoundationEssentials
import HypervisorAPI

/// One simulation of a batch: it lives as long as its lease is held.
actor BatchCopy {
    let name: String
    let file: BatchFile
    let client: ControlClient
    let session: Session
    private let teller: BatchTeller
    private let lease: HeldLease
    /// By machine and port.
    private var consoles: [String: BatchConsole] = [:]
    /// What copies of it are made of; nil before ``settle()``.
    private(set) var checkpoint: String?

    init(_ name: String, _ file: BatchFile, _ session: Session, _ teller: BatchTeller) async throws {
        self.name = name
        self.file = file
        self.session = session
        self.teller = teller
        // A daemon that has died under the last one is started again for this one.
        client = try await session.client()
        lease = try await HeldLease(of: name, client, session)
    }

    var path: String { "/v1/simulations/\(name)" }

    /// Saves it where it is, if it runs, so that copies can be made of it.
    func settle() async throws {
        let detail = try await client.get(SimulationDetail.self, path).value
        if detail.summary.state == .running {
            let body = OperationBody(checkpoint: nil, when: .asap)
            _ = try await operate("\(path)/suspend", .asap) { try JSONText.encode(body) }
        }
        checkpoint = try await client.checkpoint(ofSuspended: name)
    }

    /// Ends it with all that was saved of it, also when the task that asks was cancelled.
    func end() async {
        let work = Task { try await lease.end(keeping: []) }
        do {
            for reason in try await work.value.reasons { teller.note("not all of \(name) is gone: \(reason)") }
        } catch {
            teller.note("\(name) has not ended yet, which goes on: \(error)")
        }
    }

    func console(_ port: Port) -> BatchConsole {
        let key = "\(port.machine) \(port.number ?? -1)"
        if let console = consoles[key] { return console }
        let query = port.number.map { "?port=\($0)" } ?? ""
        let console = BatchConsole(client, "\(path)/machines/\(port.machine)/serial\(query)")
        consoles[key] = console
        return console
    }

    /// Begins an operation and waits for its result. A host that was too busy at the instant has changed nothing; unless the instant was
    /// somebody's, another one is as good.
    /// - Throws: when it is not done.
    @discardableResult
    func operate(
        _ path: String,
        _ instant: StepAction.Instant,
        body: () throws -> Data
    ) async throws -> OperationReport {
        var attempts = 5
        while true {
            let report = try await follow(try await begin(path, try body()))
            if report.outcome == .done { return report }
            attempts -= 1
            if case .at = instant { attempts = 0 }
            guard report.outcome == .missed, attempts > 0 else { throw BatchFailure(report) }
        }
    }

    /// - Returns: the path of its events.
    private func begin(_ path: String, _ body: Data) async throws -> String {
        let answer = try await client.begin(path, body: body)
        if let clone = try? Received<ClonesStarted>(answer).value.clones.first { return clone.events }
        return try Received<OperationStarted>(answer).value.events
    }

    private func follow(_ events: String) async throws -> OperationReport {
        for try await line in try await client.lines(events) {
            if case .result(let report) = try Received<OperationEvent>(line).value { return report }
        }
        throw CommandFailure(
            .unknown,
            code: "daemon-lost",
            "the daemon went away before it told how an operation of \(name) ended"
        )
    }
}
