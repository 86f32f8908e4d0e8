public import HypervisorAPI
import HostClock
import Synchronization
public import Time

/// The hypervisor of another host, by its agent.
///
/// What it is told and what it tells is translated: instants between its clock and ours, folders of checkpoints between its state folder
/// and ours. Each call is sent once; a call of which the answer is lost throws `host-unreachable`, and whoever made it knows how to go on.
public final class RemoteHypervisor: Hypervisor {
    public let host: String

    /// Of what is answered at once or not at all; callers with less patience have their own.
    static let shortPatience = Span.seconds(30)
    /// Of what reads or writes whole checkpoints: as long as the connection lives.
    static let longPatience: Span? = nil
    /// Before a report is asked for again, when the connection was lost.
    private static let reportPause = Span.milliseconds(200)
    /// For a host that may hold something that nobody wants any more: ten minutes.
    private static let giveBackPause = Span.seconds(5)
    private static let giveBackAttempts = 120
    /// A host that cannot be reached for so long is given up for this operation: other hosts' machines stand still for it.
    private static let reportPatience = Span.seconds(15)

    let connection: HypervisorConnection
    /// Whoever listens to machines asks all the time: operations have connections of their own.
    let listening: HypervisorConnection
    let folders: CheckpointFolders
    let clock: HostTimeKeeper
    private let promises = Mutex<[OperationID: Promise]>([:])

    /// What it promised, in its own words, and how its time was reckoned then.
    private struct Promise {
        /// As it gave it out.
        var theirs: Handle
        /// As it was passed on: by our clock, and not before a message can be there.
        var ours: Handle
        var time: HostTime
        /// By our clock, once it was told to execute.
        var instant: HostInstant?
    }

    /// - Parameters:
    ///   - host: the name in its certificate.
    ///   - address: `HOST:PORT` or `[IPv6]:PORT`.
    ///   - home: the state folder of the control instance, absolute.
    ///   - clockErrorLimit: a host whose clock is known worse than this is refused an operation of a simulation without a limit of its own; nil: 5 ms.
    public convenience init(
        host: String,
        address: String,
        trust: @escaping @Sendable () throws(HypervisorError) -> LiveTrust,
        home: String,
        clockErrorLimit: Span? = nil
    ) {
        let client = AgentClient(host: host, trust: trust)
        let connection = HypervisorConnection(host: host, base: "https://\(address)", agent: client)
        self.init(connection: connection, home: home, clockErrorLimit: clockErrorLimit)
    }

    /// Ends its connections; nothing can be asked afterwards.
    public func close() async {
        await connection.agent.close()
        await listening.agent.close()
    }

    init(
        connection: HypervisorConnection,
        home: String,
        clockErrorLimit: Span?,
        clock: any RealtimeClock = SystemClock()
    ) {
        host = connection.host
        self.connection = connection
        listening = HypervisorConnection(host: host, base: connection.base, agent: connection.agent.another())
        folders = CheckpointFolders(home: home)
        self.clock = HostTimeKeeper(connection: connection, limit: clockErrorLimit, clock: clock)
    }

    // MARK: - Operations

    public func prepare(_ order: Order) async -> PrepareAnswer {
        do throws(HypervisorError) {
            let measured = HostInstant.now
            var (time, answer) = try await timed(order)
            guard case .ready(let theirs) = answer else { return answer }
            if order.instant == nil, time.offset != .zero {
                time.bound = time.bound + ClockOffset.wandered(HostInstant.now - measured)
            }
            var ours = time.ours(theirs)
            ours.earliest = ours.earliest + time.roundTrip
            promises.withLock { $0[order.operation] = Promise(theirs: theirs, ours: ours, time: time) }
            return .ready(ours)
        } catch {
            // It may have been heard all the same, and its answer not.
            if error.mayHaveBeenHeard { giveBackLater(order.operation) }
            return .refused(error.reasons)
        }
    }

    /// What a host answers to an order, and its time. An order for as soon as possible has no instant to be translated, so the time is
    /// measured while the host prepares.
    private func timed(_ order: Order) async throws(HypervisorError) -> (HostTime, PrepareAnswer) {
        guard order.instant == nil else {
            let time = try await clock.measure(for: order.instant, limit: order.clockErrorLimit)
            return (time, try await prepared(time.theirs(order)))
        }
        let clock = clock
        let isPrepared = Atomic(false)
        async let measuring = { () async -> Result<HostTime, HypervisorError> in
            do throws(HypervisorError) {
                return .success(
                    try await clock.measure(for: nil, limit: order.clockErrorLimit) {
                        isPrepared.load(ordering: .relaxed)
                    }
                )
            } catch {
                return .failure(error)
            }
        }()
        let answer = try await prepared(order)
        isPrepared.store(true, ordering: .relaxed)
        do throws(HypervisorError) {
            return (try await measuring.get(), answer)
        } catch {
            if case .ready(let theirs) = answer { await giveBack(theirs) }
            throw error
        }
    }

    private func prepared(_ order: Order) async throws(HypervisorError) -> PrepareAnswer {
        try await connection.call(.prepare, try order.mapping(folders.relative), patience: Self.longPatience)
    }

    public func cancel(_ handle: Handle) async {
        guard let promise = promises.withLock({ $0[handle.operation] }) else { return }
        await giveBack(promise.theirs)
    }

    private func giveBack(_ theirs: Handle) async {
        do throws(HypervisorError) {
            _ = try await connection.call(.cancel, theirs, patience: Self.shortPatience)
            forget(theirs.operation)
        } catch {
            giveBackLater(theirs.operation)
        }
    }

    /// A handle for tomorrow would hold its machines until then.
    private func giveBackLater(_ operation: OperationID) {
        Task { [weak self] in
            for _ in 0..<Self.giveBackAttempts {
                try? await Task.sleep(for: Self.giveBackPause.duration)
                guard let self else { return }
                do throws(HypervisorError) {
                    return try await self.rollback(operation, continueAt: HostInstant.now)
                } catch {
                    // It may be preparing yet.
                    guard error.mayHaveBeenHeard || error.has("operation-not-executed") else { return }
                }
            }
        }
    }

    public func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) {
        guard let promise = promises.withLock({ $0[handle.operation] }), promise.ours == handle else {
            throw HypervisorError(code: "handle-unknown", message: "host \(host) gave out no such handle")
        }
        promises.withLock { $0[handle.operation]?.instant = instant }
        let execution = Execution(handle: promise.theirs, instant: promise.time.theirs(instant))
        _ = try await connection.call(.execute, execution, patience: Self.longPatience)
    }

    /// Asks again while the connection is lost: what was armed happens all the same.
    public func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport {
        let promise = promises.withLock { $0[operation] }
        let time = await time(of: operation)
        var lostSince: HostInstant?
        while true {
            let asked = HostInstant.now
            do throws(HypervisorError) {
                return time.ours(try await connection.call(.report, operation, patience: Self.longPatience))
            } catch {
                let now = HostInstant.now
                // It was connected meanwhile (to try takes less), or nobody waits for it yet.
                let wasConnected = now - asked > AgentClient.connectPatience + .seconds(2)
                if wasConnected || now < promise?.instant ?? now { lostSince = nil }
                let since = lostSince ?? now
                lostSince = since
                guard error.isUnreachable, !Task.isCancelled, now - since < Self.reportPatience else { throw error }
                try? await Task.sleep(for: Self.reportPause.duration)
            }
        }
    }

    public func stages(of operation: OperationID) async -> AsyncStream<Stage> {
        let time = await time(of: operation)
        guard let lines = try? await connection.lines(StageLines.path, operation) else {
            return AsyncStream { $0.finish() }
        }
        return AsyncStream { continuation in
            let reading = Task {
                for await lines in lines {
                    for stage in WireJSON.decode(Stage.self, fromLines: lines) { continuation.yield(time.ours(stage)) }
                }
                continuation.finish()
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    public func commit(_ operation: OperationID) async throws(HypervisorError) {
        _ = try await connection.call(.commit, operation, patience: Self.shortPatience)
        forget(operation)
    }

    public func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {
        let time = await time(of: operation)
        let rollback = Rollback(operation: operation, continueAt: time.theirs(instant))
        _ = try await connection.call(.rollback, rollback, patience: Self.longPatience)
        forget(operation)
    }

    public func undecided() async throws(HypervisorError) -> [UndecidedOperation] {
        try await connection.call(.undecided, Nothing(), patience: Self.shortPatience)
    }

    /// As it was reckoned with when the operation began; of one that another control instance began, as it is now, however badly known:
    /// a rollback does not wait for good clocks.
    private func time(of operation: OperationID) async -> HostTime {
        if let time = promises.withLock({ $0[operation]?.time }) { return time }
        return await clock.estimate()
    }

    private func forget(_ operation: OperationID) { promises.withLock { $0[operation] = nil } }
}

// MARK: - Machines

extension RemoteHypervisor {
    public func describe() async throws(HypervisorError) -> HypervisorDescription {
        try await connection.call(.describe, Nothing(), patience: Span.seconds(60))
    }

    public func machines(of simulation: String?) async throws(HypervisorError) -> [MachineStatus] {
        try await connection.call(.machines, MachinesQuestion(simulation: simulation), patience: Self.shortPatience)
    }

    public func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] {
        let question = ClocksQuestion(simulation: simulation, pausing: pausing)
        return try await connection.call(.clocks, question, patience: Self.longPatience)
    }

    public func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus {
        try await connection.call(.adopt, order, patience: Self.longPatience)
    }

    public func end(_ simulation: String) async throws(HypervisorError) {
        _ = try await connection.call(.end, simulation, patience: Self.longPatience)
    }

    public func leftovers(besides simulations: [String], removing: Bool) async throws(HypervisorError) -> [Leftover] {
        let question = LeftoversQuestion(simulations: simulations, removing: removing)
        return try await connection.call(.leftovers, question, patience: Self.longPatience)
    }
}

extension HypervisorError {
    fileprivate var isUnreachable: Bool { has("host-unreachable") }
    fileprivate var mayHaveBeenHeard: Bool { isUnreachable || has("message-invalid") }

    fileprivate func has(_ code: String) -> Bool { reasons.contains { $0.code == code } }
}
