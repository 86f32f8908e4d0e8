import HostClock
import HypervisorAPI
import Synchronization
import Time

/// Who may change a simulation now.
enum Claim: Hashable {
    case operation(OperationID)
    /// A verb that is no operation, e.g. `down`.
    case verb(String)
    /// An operation of unknown outcome is settled in the background: over in seconds, and whoever wants something else waits.
    case settling(OperationID)
    /// It begins to be one that lives as long as its lease, or ends with it.
    case lease
}

extension ControlInstance {
    /// Within this instance.
    /// - Throws: `busy` when somebody else has it.
    private func claimHere(_ simulation: String, _ claim: Claim) throws(ControlError) {
        if claim != .lease, state.withLock({ $0.leases.isOver(simulation, at: clock.now()) }) {
            throw ControlError(
                code: "lease-ended",
                message: "\(simulation) ends, or has ended, with its lease: nothing new begins with it",
                exitCode: 3
            )
        }
        let holder = state.withLock { state -> Claim? in
            if let holder = state.claims[simulation] { return holder }
            state.claims[simulation] = claim
            return nil
        }
        guard let holder else { return }
        let what =
            switch holder {
            case .operation(let id): "operation \(id)"
            case .verb(let verb): "'\(verb)'"
            case .settling(let id): "settling operation \(id)"
            case .lease: "its lease"
            }
        throw ControlError(code: "busy", message: "\(simulation) is busy: \(what) is under way", exitCode: 3)
    }

    /// - Throws: `busy` when somebody else has it, `driven-elsewhere` when another control instance has.
    func claim(_ simulation: String, _ claim: Claim) async throws(ControlError) {
        try claimHere(simulation, claim)
        do throws(ControlError) {
            try await claimAmongPeers(simulation)
        } catch {
            state.withLock { _ = $0.claims.removeValue(forKey: simulation) }
            throw error
        }
    }

    private func claimAmongPeers(_ simulation: String) async throws(ControlError) {
        var isSecond = false
        while true {
            do throws(StoreError) {
                return try await store.claim(simulation)
            } catch {
                switch error.kind {
                // One that has just ended gives it back behind its answer.
                case .driven where !isSecond:
                    isSecond = true
                    try? await Task.sleep(for: .milliseconds(200))
                case .driven: throw ControlError(code: "driven-elsewhere", message: error.message, exitCode: 3)
                default:
                    throw ControlError(code: "database-failed", message: "\(simulation) cannot be claimed: \(error)")
                }
            }
        }
    }

    /// As ``claim(_:_:)``, and waits while an operation is settled in the background.
    func claimInTurn(_ simulation: String, _ wanted: Claim) async throws(ControlError) {
        for _ in 0..<options.settlingPatience {
            guard case .settling = state.withLock({ $0.claims[simulation] }) else { break }
            try? await Task.sleep(for: .milliseconds(50))
        }
        try await claim(simulation, wanted)
    }

    /// As ``claimInTurn(_:_:)``, and waits for whatever else is under way, as long as a hypervisor may take to answer.
    func claimPatiently(_ simulation: String, _ wanted: Claim) async throws(ControlError) {
        let end = clock.now() + options.reportTimeout
        while true {
            do throws(ControlError) {
                return try await claim(simulation, wanted)
            } catch {
                guard !Task.isCancelled, clock.now() < end else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    func release(_ simulation: String) {
        // First, so that whoever claims it next here does so after it.
        store.release(simulation)
        state.withLock { _ = $0.claims.removeValue(forKey: simulation) }
    }

    func claiming<Value>(
        _ simulation: String,
        for verb: String,
        _ body: () async throws(ControlError) -> Value
    ) async throws(ControlError) -> Value {
        try await claimInTurn(simulation, .verb(verb))
        defer { release(simulation) }
        return try await body()
    }

    func reading<Value>(_ body: () async throws(StoreError) -> Value) async throws(ControlError) -> Value {
        do throws(StoreError) {
            return try await body()
        } catch {
            throw ControlError(code: "database-failed", message: "the state database cannot be read: \(error)")
        }
    }

    func writing(_ change: StoreChange) async throws(ControlError) {
        do throws(StoreError) {
            try await store.apply(change)
        } catch {
            throw ControlError(unwritten: error)
        }
    }

    /// Asks a hypervisor something that it answers at once or not at all.
    func ask<Value: Sendable>(
        _ hypervisor: any Hypervisor,
        _ question: @escaping @Sendable (any Hypervisor) async throws(HypervisorError) -> Value
    ) async throws(ControlError) -> Value {
        try await ask(hypervisor, within: options.answerTimeout, question)
    }

    /// Asks it for what takes its time: whole checkpoints are read or written, somebody else's QEMU is looked at.
    func work<Value: Sendable>(
        _ hypervisor: any Hypervisor,
        _ question: @escaping @Sendable (any Hypervisor) async throws(HypervisorError) -> Value
    ) async throws(ControlError) -> Value {
        try await ask(hypervisor, within: options.reportTimeout, question)
    }

    /// Waits for what takes as long as reading or copying whole disks does: there is no time after which it has failed. Ends when the task
    /// is cancelled.
    func wait<Value: Sendable>(
        for hypervisor: any Hypervisor,
        _ question: (any Hypervisor) async throws(HypervisorError) -> Value
    ) async throws(ControlError) -> Value {
        do throws(HypervisorError) {
            return try await question(hypervisor)
        } catch {
            throw ControlError(error)
        }
    }

    func ask<Value: Sendable>(
        _ hypervisor: any Hypervisor,
        within limit: Span,
        _ question: @escaping @Sendable (any Hypervisor) async throws(HypervisorError) -> Value
    ) async throws(ControlError) -> Value {
        let answer = await within(limit) { () -> Result<Value, HypervisorError> in
            do throws(HypervisorError) {
                return .success(try await question(hypervisor))
            } catch {
                return .failure(error)
            }
        }
        switch answer {
        case .success(let value): return value
        case .failure(let error): throw ControlError(error)
        case nil: throw ControlError([.noAnswer(hypervisor.host, limit)])
        }
    }
}

extension Reason {
    static func noAnswer(_ host: String, _ limit: some CustomStringConvertible) -> Reason {
        Reason(code: "host-no-answer", message: "the hypervisor of host \(host) did not answer within \(limit)")
    }
}
