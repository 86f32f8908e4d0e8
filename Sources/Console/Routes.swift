import ControlInstance
import FoundationEssentials
import Glibc
import GuestClock
import HostClock
import HTTPTypes
import Hummingbird
import HypervisorAPI
import Time

/// Every method of every path. The table is what the router is made from and what docs/openapi.yaml is checked against.
struct Routes: Sendable {
    let control: any Control
    let started: HostInstant
    let entrance: BrowserEntrance
    let tokens: TokenBook
    let keys: KeyBook
    let frames = ChangeFrames()
    /// Asks the server to end.
    let shutdown: @Sendable () -> Void

    var endpoints: [Endpoint] {
        daemon + session + hosts + simulations + operations + checkpoints + transfers + leases + serials
    }

    private var daemon: [Endpoint] {
        [
            .get("/v1/version") { _ in
                try Answer.json(
                    VersionAnswer(
                        version: FermataVersion.current,
                        processID: getpid(),
                        started: started,
                        now: .now,
                        host: control.ownHost
                    )
                )
            },
            .get("/v1/events") { call in
                let last = call.request.headers[.lastEventID]
                return EventStream.response(control.changes(after: last), as: frames, on: call.channel)
            },
            .get("/v1/health") { _ in try Answer.json(HealthAnswer(status: "ok")) },
            .get("/metrics") { _ in Answer.metrics(try await control.metrics()) },
            .get("/v1/doctor") { _ in try Answer.json(await control.doctor()) },
            .post("/v1/gc") { call in try await collectGarbage(call) },
            .post("/v1/shutdown") { call in
                _ = try await call.body(EmptyBody.self)
                shutdown()
                return try Answer.json(AcceptedAnswer(accepted: true), status: .accepted)
            },
            .post("/v1/console") { call in
                _ = try await call.body(EmptyBody.self)
                return try Answer.json(try await entrance.link(), status: .created)
            },
        ]
    }

    private var simulations: [Endpoint] {
        [
            .get("/v1/simulations") { _ in
                try Answer.json(SimulationsAnswer(simulations: try await control.simulations()))
            },
            .get("/v1/simulations/{simulation}") { call in
                try Answer.json(try await control.simulation(named: try call.simulation()))
            },
            .delete("/v1/simulations/{simulation}") { call in
                let isDryRun = try call.isDryRun()
                return try Answer.json(try await control.forget(try call.simulation(), dryRun: isDryRun))
            },
            .post("/v1/simulations/{simulation}/up") { call in
                try call.refuseParameters()
                let simulation = try call.simulation()
                return try await once(call, \UpRequest.operation) { call in
                    let body = try await call.body(UpBody.self)
                    guard body.spec.name == simulation else {
                        throw Problem.badRequest(
                            "the path names the simulation \(simulation), its spec \(body.spec.name)"
                        )
                    }
                    return UpRequest(spec: body.spec, when: body.when ?? .asap)
                } begin: {
                    try await control.up($0)
                }
            },
            .post("/v1/simulations/{simulation}/suspend") { call in
                if try call.isDryRun() { return try await rehearse(.suspend(try await save(call))) }
                return try await once(
                    call,
                    \.operation,
                    read: { try await save($0) },
                    begin: { try await control.suspend($0) }
                )
            },
            .post("/v1/simulations/{simulation}/checkpoint") { call in
                if try call.isDryRun() { return try await rehearse(.checkpoint(try await save(call))) }
                return try await once(
                    call,
                    \.operation,
                    read: { try await save($0) },
                    begin: { try await control.checkpoint($0) }
                )
            },
            .post("/v1/simulations/{simulation}/resume") { call in
                if try call.isDryRun() { return try await rehearse(.resume(try await resume(call))) }
                return try await once(
                    call,
                    \.operation,
                    read: { try await resume($0) },
                    begin: { try await control.resume($0) }
                )
            },
            .post("/v1/simulations/{simulation}/rewind") { call in
                if try call.isDryRun() { return try await rehearse(.rewind(try await rewind(call))) }
                return try await once(
                    call,
                    \.resume.operation,
                    read: { try await rewind($0) },
                    begin: { try await control.rewind($0) }
                )
            },
            .post("/v1/simulations/{simulation}/down") { call in
                try call.refuseParameters()
                let simulation = try call.simulation()
                _ = try await call.body(EmptyBody.self)
                return try Answer.json(try await control.down(simulation))
            },
            .post("/v1/simulations/{simulation}/adopt") { call in
                let simulation = try call.simulation()
                let body = try await call.body(AdoptBody.self)
                let request = AdoptRequest(
                    simulation: simulation,
                    machine: try Call.name(body.machine, of: "machine"),
                    monitor: body.monitor,
                    host: body.host
                )
                return try Answer.json(try await control.adopt(request))
            },
            .get("/v1/simulations/{simulation}/clocks") { call in
                let simulation = try call.simulation()
                let pausing = try call.flag("pausing", default: true)
                // It stops the machines, and keeps other operations waiting.
                if pausing { try call.require(.operate) }
                return try Answer.json(try await control.clocks(of: simulation, pausing: pausing))
            },
        ]
    }

    private var checkpoints: [Endpoint] {
        let path = "/v1/simulations/{simulation}/checkpoints"
        return [
            .get(path) { call in
                let simulation = try call.simulation()
                let filter = try call.parameter("label").map { LabelFilter($0) }
                let checkpoints = try await control.log(simulation, label: filter)
                let storage = try await control.storage(of: simulation)
                return try Answer.json(
                    CheckpointsAnswer(simulation: simulation, checkpoints: checkpoints, storage: storage)
                )
            },
            .get("\(path)/{checkpoint}") { call in
                try Answer.json(try await control.show(try call.simulation(), try call.checkpoint()))
            },
            .patch("\(path)/{checkpoint}") { call in
                let simulation = try call.simulation()
                let checkpoint = try call.checkpoint()
                let body = try await call.body(AnnotateBody.self)
                let request = AnnotateRequest(
                    simulation: simulation,
                    checkpoint: checkpoint,
                    labels: body.labels ?? [:],
                    note: body.note
                )
                return try Answer.json(try await control.annotate(request))
            },
            .delete("\(path)/{checkpoint}") { call in
                let recursive = try call.flag("recursive", default: false)
                let removed = try await control.remove(
                    try call.simulation(),
                    try call.checkpoint(),
                    recursive: recursive
                )
                return recursive ? try Answer.json(RemovedAnswer(removed: removed)) : Response(status: .noContent)
            },
            .post("\(path)/{checkpoint}/verify") { call in
                _ = try await call.body(EmptyBody.self)
                return try Answer.json(try await control.verify(try call.simulation(), try call.checkpoint()))
            },
            .post("\(path)/{checkpoint}/seal") { call in
                _ = try await call.body(EmptyBody.self)
                return try Answer.json(try await control.seal(try call.simulation(), try call.checkpoint()))
            },
            .post("\(path)/{checkpoint}/clone") { call in try await clone(call) },
            .get("\(path)/{checkpoint}/clocks") { call in
                let report = try await control.clocks(
                    ofCheckpoint: try call.checkpoint(),
                    simulation: try call.simulation()
                )
                return try Answer.json(report)
            },
            .post("\(path)/{checkpoint}/clocks") { call in
                let simulation = try call.simulation()
                let checkpoint = try call.checkpoint()
                let body = try await call.body(ClockEditBody.self)
                let request = ClockEditRequest(
                    simulation: simulation,
                    checkpoint: checkpoint,
                    newCheckpoint: try body.checkpoint.map { try Call.name($0, of: "checkpoint") },
                    policy: body.policy,
                    scope: body.scope ?? .rtc
                )
                return try Answer.json(try await control.editClocks(request), status: .created)
            },
        ]
    }

    private var operations: [Endpoint] {
        [
            .get("/v1/operations/{operation}") { call in
                try Answer.json(try await control.operation(OperationID(text: try call.operation())))
            },
            .get("/v1/operations/{operation}/events") { call in
                let events = try await control.follow(OperationID(text: try call.operation()))
                return EventStream.response(events, to: call.request, on: call.channel)
            },
            .get("/v1/operations") { call in
                let values = try call.parameters("simulation", "before", "limit").map(\.first)
                let simulation = try values[0].map { try Call.name($0, of: "simulation") }
                let before = try values[1].map { OperationID(text: try Call.name($0, of: "operation")) }
                let limit = try values[2].map { try Self.limit($0) } ?? Self.operationsShown
                // One more tells whether there is a next page.
                let found = try await control.operations(of: simulation, before: before, limit: limit + 1)
                let operations = Array(found.prefix(limit))
                let isWhole = found.count <= limit
                return try Answer.json(
                    OperationsAnswer(
                        operations: operations,
                        next: isWhole ? nil : Self.next(after: operations.last, of: simulation, limit: limit)
                    )
                )
            },
            .post("/v1/operations/{operation}/settle") { call in
                let operation = OperationID(text: try call.operation())
                let decision = try await call.body(SettleBody.self).decision
                return try Answer.json(try await control.settle(operation, as: decision))
            },
            .post("/v1/operations/{operation}/cancel") { call in
                let operation = OperationID(text: try call.operation())
                _ = try await call.body(EmptyBody.self)
                try await control.cancel(operation)
                return try Answer.json(AcceptedAnswer(accepted: true), status: .accepted)
            },
        ]
    }

    /// Newest first; more than that nobody reads at once.
    private static let operationsShown = 100
    private static let mostOperations = 1000

    private static func limit(_ text: String) throws(Problem) -> Int {
        guard let limit = Int(text), (1...mostOperations).contains(limit) else {
            throw .badRequest("'\(text.prefix(40))' is no number from 1 to \(mostOperations) (parameter limit)")
        }
        return limit
    }

    /// The path of the page behind this one.
    private static func next(after last: OperationDetail?, of simulation: String?, limit: Int) -> String? {
        guard let last else { return nil }
        let filter = simulation.map { "&simulation=\($0)" } ?? ""
        return "/v1/operations?limit=\(limit)&before=\(last.operation)\(filter)"
    }

    private func resume(_ call: Call) async throws -> ResumeRequest {
        let simulation = try call.simulation()
        let body = try await call.body(ResumeBody.self)
        return ResumeRequest(
            simulation: simulation,
            checkpoint: try body.checkpoint.map { try Call.name($0, of: "checkpoint") },
            when: body.when ?? .asap,
            policy: body.policy,
            scope: body.scope ?? .rtc,
            ram: body.ram ?? .keep
        )
    }

    private func save(_ call: Call) async throws -> SaveRequest {
        let simulation = try call.simulation()
        let body = try await call.body(SaveBody.self)
        let checkpoint = try body.checkpoint.map { try Call.name($0, of: "checkpoint") }
        let note = body.note.flatMap { $0.isEmpty ? nil : $0 }
        return SaveRequest(
            simulation: simulation,
            checkpoint: checkpoint,
            when: body.when ?? .asap,
            annotations: Annotations(labels: body.labels ?? [:], note: note)
        )
    }

    private func rehearse(_ rehearsal: Rehearsal) async throws -> Response {
        try Answer.json(try await control.rehearse(rehearsal))
    }

    func begun(_ operation: OperationID) throws -> Response {
        var response = try Answer.json(
            OperationStarted(operation: operation, events: Self.events(of: operation)),
            status: .accepted
        )
        response.headers[.location] = "/v1/operations/\(operation)"
        return response
    }
}
