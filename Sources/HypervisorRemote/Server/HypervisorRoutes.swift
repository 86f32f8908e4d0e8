import HTTPTypes
import HostClock
import Hummingbird
import HypervisorAPI
import Logging

/// The hypervisor protocol of one host as HTTP. What it is asked for is checked by ``AgentPolicy`` before it reaches the hypervisor.
struct HypervisorRoutes: Sendable {
    let hypervisor: any Hypervisor
    let folders: CheckpointFolders
    let policy: AgentPolicy
    let grants: GrantBook
    let fetches: PeerFetches
    let clock: any RealtimeClock

    func add(to router: Router<AgentContext>) {
        addOperations(to: router)
        addMachines(to: router)
        addSerialPorts(to: router)
        addCheckpoints(to: router)
        addPeers(to: router)
        FileRoutes(hypervisor: hypervisor, folders: folders).add(to: router)
    }

    private func addOperations(to router: Router<AgentContext>) {
        on(router, .prepare) { order in
            try NameCheck.order(order)
            let reasons = policy.obstacles(to: order, home: folders.home)
            guard reasons.isEmpty else { return .refused(reasons) }
            return await hypervisor.prepare(try order.mapping(folders.absolute))
        }
        on(router, .obstacles) { order in
            try NameCheck.order(.resume(order))
            let reasons = policy.obstacles(to: .resume(order), home: folders.home)
            guard reasons.isEmpty else { return reasons }
            return try await hypervisor.obstacles(to: try order.mapping(folders.absolute))
        }
        on(router, .cancel) { handle in
            await hypervisor.cancel(handle)
            return Nothing()
        }
        on(router, .execute) { execution in
            try await hypervisor.execute(execution.handle, at: execution.instant)
            return Nothing()
        }
        on(router, .report) { try await hypervisor.report(of: $0) }
        on(router, .commit) { operation in
            try await hypervisor.commit(operation)
            return Nothing()
        }
        on(router, .rollback) { rollback in
            try await hypervisor.rollback(rollback.operation, continueAt: rollback.continueAt)
            return Nothing()
        }
        on(router, .undecided) { _ in try await hypervisor.undecided() }
        router.post(RouterPath(StageLines.path)) { request, _ in
            let operation = try await Self.body(OperationID.self, of: request)
            return StageLines.response(await hypervisor.stages(of: operation))
        }
    }

    private func addMachines(to router: Router<AgentContext>) {
        on(router, .describe) { _ in try await hypervisor.describe() }
        on(router, .time) { _ in
            let arrived = clock.now()
            let synchronisation = clockSynchronisation()
            return ClockReading(arrived: arrived, answered: clock.now(), synchronisation: synchronisation)
        }
        on(router, .machines) { try await hypervisor.machines(of: $0.simulation) }
        on(router, .clocks) { try await hypervisor.readClocks(of: $0.simulation, pausing: $0.pausing) }
        on(router, .adopt) { order in
            let reasons = policy.obstacles(to: order)
            guard reasons.isEmpty else { throw HypervisorError(reasons) }
            try NameCheck.simulation(order.simulation)
            try NameCheck.simulation(order.machine)
            return try await hypervisor.adopt(order)
        }
        on(router, .readEvents) { question in
            try NameCheck.machine(question.machine)
            return try await hypervisor.readEvents(of: question.machine, after: question.after)
        }
        on(router, .end) { simulation in
            try NameCheck.simulation(simulation)
            try await hypervisor.end(simulation)
            return Nothing()
        }
        on(router, .leftovers) { question in
            try await hypervisor.leftovers(besides: question.simulations, removing: question.removing)
        }
    }

    private func addSerialPorts(to router: Router<AgentContext>) {
        on(router, .readSerial) { question in
            try NameCheck.serialPort(question.port)
            return SerialAnswer(try await hypervisor.readSerial(question.port, from: question.offset))
        }
        on(router, .writeSerial) { writing in
            try NameCheck.serialPort(writing.port)
            guard let bytes = writing.bytes else {
                throw HypervisorError(
                    code: "message-invalid",
                    machine: writing.port.machine,
                    message: "what came for a serial port is no base64, or more than \(SerialPlace.mostTyped) bytes"
                )
            }
            try await hypervisor.writeSerial(bytes, to: writing.port)
            return Nothing()
        }
    }

    /// What a control instance says about bytes that go from host to host by themselves.
    private func addPeers(to router: Router<AgentContext>) {
        on(router, .grant) { order in
            try NameCheck.grant(order)
            return grants.add(
                try order.mapping { folder throws(HypervisorError) in
                    try folders.absolute(folder, of: [.checkpoint, .export])
                }
            )
        }
        on(router, .endGrant) { ticket in
            grants.end(ticket)
            return Nothing()
        }
        on(router, .copyShared) { order in
            let here = try order.mapping { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.checkpoint, .export])
            } target: { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.arrival])
            }
            // What is no path of a file is refused, too.
            _ = try folders.relative(here.source, of: [.checkpoint, .export])
            _ = try folders.relative(here.target, of: [.arrival])
            return try await (hypervisor as? any SharedFolderHost)?.copyShared(here) ?? false
        }
        on(router, .fetch) { order in
            try NameCheck.fetch(order)
            let here = try order.mapping { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.checkpoint, .export])
            } target: { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.arrival])
            }
            // What is no path of a file is refused, too.
            _ = try folders.relative(here.target, of: [.arrival])
            return try await fetches.fetch(here)
        }
    }

    private func addCheckpoints(to router: Router<AgentContext>) {
        on(router, .verify) { try await hypervisor.verify(try stored($0)) }
        on(router, .lost) { try await hypervisor.lost(try stored($0)) }
        on(router, .seal) { try await hypervisor.seal(try stored($0)) }
        on(router, .editClocks) { order in
            _ = try stored(order.source)
            return try await hypervisor.editClocks(try order.mapping(folders.absolute))
        }
        on(router, .moveCheckpoint) { move in
            try await hypervisor.moveCheckpoint(
                folder: try folders.absolute(move.folder),
                to: try folders.absolute(move.final)
            )
            return Nothing()
        }
        on(router, .removeCheckpoint) { folder in
            let here = try folders.absolute(folder, of: [.checkpoint, .export, .arrival])
            // Nobody asks for it any more, and it would make the folder again.
            await fetches.stop(into: here)
            await fetches.stop(into: ArrivalName.arriving(here))
            try await hypervisor.removeCheckpoint(folder: here)
            return Nothing()
        }
        on(router, .makeStandalone) { order in
            try NameCheck.stored(order.checkpoint)
            let reasons = policy.obstacles(to: order, home: folders.home)
            guard reasons.isEmpty else { throw HypervisorError(reasons) }
            let here = try order.mapping(folders.absolute) { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.export])
            }
            return try await hypervisor.makeStandalone(here).mapping { folder throws(HypervisorError) in
                try folders.relative(folder, of: [.checkpoint, .export])
            }
        }
        on(router, .fit) { order in
            try NameCheck.arrival(order)
            let reasons = policy.obstacles(to: order.checkpoint, home: folders.home)
            guard reasons.isEmpty else { throw HypervisorError(reasons) }
            var here = try order.mapping(folders.absolute) { folder throws(HypervisorError) in
                try folders.absolute(folder, of: [.arrival])
            }
            here.limits = policy.limits
            await fetches.stop(into: here.checkpoint.folder)
            var arrival = try await hypervisor.fit(here)
            arrival.obstacles += policy.obstacles(to: arrival, home: folders.home)
            return arrival
        }
    }

    /// In this host's folders, once it is known to name nothing else.
    private func stored(_ checkpoint: StoredCheckpoint) throws(HypervisorError) -> StoredCheckpoint {
        try NameCheck.stored(checkpoint)
        let reasons = policy.obstacles(to: checkpoint, home: folders.home)
        guard reasons.isEmpty else { throw HypervisorError(reasons) }
        return try checkpoint.mapping(folders.absolute)
    }

    private func on<Body, Answer>(
        _ router: Router<AgentContext>,
        _ method: RemoteMethod<Body, Answer>,
        _ answer: @escaping @Sendable (Body) async throws -> Answer
    ) {
        router.post(RouterPath(method.path)) { request, _ in
            Response.json(try WireJSON.encode(try await answer(try await Self.body(Body.self, of: request))))
        }
    }

    private static func body<Body: Decodable>(_: Body.Type, of request: Request) async throws -> Body {
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: WireFormat.bodyLimit)
        } catch {
            throw HypervisorError(code: "message-invalid", message: "the request's body cannot be read: \(error)")
        }
        return try WireJSON.decode(Body.self, from: Array(buffer.readableBytesView))
    }
}

extension Response {
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
