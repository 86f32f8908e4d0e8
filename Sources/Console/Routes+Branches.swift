import ControlInstance
import GuestClock
import Hummingbird
import HypervisorAPI

/// Requests for what branches off from a checkpoint, and for what is left behind.
extension Routes {
    func rewind(_ call: Call) async throws -> RewindRequest {
        let simulation = try call.simulation()
        let body = try await call.body(RewindBody.self)
        let discard = body.discard ?? false
        if discard, body.keepAs != nil {
            throw Problem.badRequest("what runs is either kept or discarded: keepAs and discard contradict each other")
        }
        let resume = ResumeRequest(
            simulation: simulation,
            checkpoint: try Call.name(body.checkpoint, of: "checkpoint"),
            when: body.when ?? .asap,
            policy: body.policy,
            scope: body.scope ?? .rtc
        )
        let keepAs = try body.keepAs.map { try Call.name($0, of: "checkpoint") }
        return RewindRequest(resume, keeping: discard ? .nothing : .checkpoint(keepAs))
    }

    func clone(_ call: Call) async throws -> Response {
        try call.refuseParameters()
        return try await once(
            call,
            \.source.operation,
            read: { try await cloneRequest($0) },
            again: { try await clones(since: $0) },
            first: { try begun(try await control.clone($0)) }
        )
    }

    /// What a request has begun, as far as it came.
    private func clones(since first: OperationID) async throws -> Response {
        var started: [CloneStarted] = []
        for number in 0..<CloneRequest.mostClones {
            let operation = first.sibling(number)
            guard try await isRecorded(operation) else { break }
            let simulation = try await control.operation(operation).simulation
            started.append(CloneStarted(simulation: simulation, operation: operation))
        }
        return try begun(started)
    }

    private func cloneRequest(_ call: Call) async throws -> CloneRequest {
        let simulation = try call.simulation()
        let checkpoint = try call.checkpoint()
        let body = try await call.body(CloneBody.self)
        let source = ResumeRequest(
            simulation: simulation,
            checkpoint: checkpoint,
            when: body.when ?? .asap,
            policy: body.policy,
            scope: body.scope ?? .rtc
        )
        return CloneRequest(
            source,
            as: try Call.name(body.name, of: "simulation"),
            count: body.count,
            newMACs: body.newMACs ?? false
        )
    }

    private func begun(_ started: [CloneStarted]) throws -> Response {
        let clones = started.map { clone in
            ClonesStarted.Clone(
                simulation: clone.simulation,
                operation: clone.operation,
                events: Self.events(of: clone.operation)
            )
        }
        return try Answer.json(ClonesStarted(clones: clones), status: .accepted)
    }

    func collectGarbage(_ call: Call) async throws -> Response {
        let body = try await call.body(GarbageBody.self)
        let request = GarbageRequest(
            simulation: try body.simulation.map { try Call.name($0, of: "simulation") },
            dryRun: body.dryRun ?? false,
            keep: body.keep,
            olderThan: body.olderThanNs,
            all: body.all ?? false
        )
        return try Answer.json(try await control.collectGarbage(request))
    }

    static func events(of operation: OperationID) -> String { "/v1/operations/\(operation)/events" }
}
