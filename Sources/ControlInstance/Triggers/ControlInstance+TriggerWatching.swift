import HostClock
import HypervisorAPI
import Logging
import Time

/// Who looks at machines for triggers.
extension ControlInstance {
    /// Before an operation that could not be read is read again.
    private static let takeUpPause: Duration = .seconds(2)

    /// What was begun before a daemon ended is over by now, or was never begun.
    func takeUp(_ watch: TriggerWatch) async {
        var operations: [Int: OperationID] = [:]
        for (index, trigger) in watch.book.states.enumerated() where trigger.phase == .begun {
            operations[index] = trigger.operation
            guard trigger.operation == nil else { continue }
            await change(watch) { $0.end(index, "the control instance ended while it ran") }
        }
        await takeUp(operations, of: watch)
    }

    /// - Parameter operations: of an earlier daemon, by their triggers; what this one has begun meanwhile is under way.
    private func takeUp(_ operations: [Int: OperationID], of watch: TriggerWatch) async {
        var unread: [Int: OperationID] = [:]
        for (index, id) in operations where watch.book.states[index].operation == id {
            let record: OperationRecord?
            do throws(StoreError) {
                record = try await store.operation(id)
            } catch {
                logger.error(
                    "a trigger's operation cannot be read",
                    metadata: ["operation": "\(id)", "reason": "\(error)"]
                )
                // Rather not done again than done twice.
                unread[index] = id
                continue
            }
            let report = record.map { $0.report ?? $0.report(.unknown) }
            await change(watch) { book in
                switch report?.verdict {
                case .ended(let problem): book.end(index, problem)
                // What ended with the daemon begins anew, as what never began, and what came too late.
                case .missed, .cancelled, .interrupted, nil: book.postpone(index)
                // It is being settled, and followed then.
                case .unknown: break
                }
            }
        }
        guard !unread.isEmpty else { return }
        Task { [weak self, unread] in
            try? await Task.sleep(for: Self.takeUpPause)
            guard let self, !watch.isOver else { return }
            await takeUp(unread, of: watch)
            actOnDue(watch)
        }
    }

    func followers(for watch: TriggerWatch, _ record: SimulationRecord) -> [MachineFollower] {
        let hosts = Dictionary(record.machines.map { ($0.name, $0.host) }, uniquingKeysWith: { first, _ in first })
        let (clock, logger) = (clock, logger)
        return watch.book.lookedAt.map { machine, ports in
            let host = hosts[machine] ?? ownHost
            return MachineFollower(
                machine: MachinePlace(simulation: record.name, machine: machine),
                ports: ports,
                hypervisor: { [weak self] in self?.hypervisor(of: host) },
                now: { clock.now() },
                isWanted: { watch.book.waits(for: machine, port: $0) },
                tell: { [weak self] sign in await self?.advance(watch, by: sign) },
                trouble: { reasons in
                    logger.log(
                        level: reasons == nil ? .info : .warning,
                        reasons == nil ? "a machine is looked at again" : "a machine cannot be looked at for triggers",
                        metadata: [
                            "machine": "\(record.name)/\(machine)", "host": "\(host)",
                            "reason": "\((reasons ?? []).map(\.description).joined(separator: "; "))",
                        ]
                    )
                }
            )
        }
    }

    /// Looks at machines, and at the time, until it is cancelled.
    func lookingTask(for watch: TriggerWatch, _ followers: [MachineFollower]) -> Task<Void, Never> {
        let clock = clock
        return Task { [weak self] in
            await withDiscardingTaskGroup { group in
                for follower in followers { group.addTask { await follower.follow() } }
                group.addTask { [weak self] in
                    while !Task.isCancelled, let rest = watch.book.rest(at: clock.now()) {
                        // A pause meanwhile makes it longer.
                        guard rest <= .zero else {
                            try? await Task.sleep(for: min(rest, .seconds(60)).duration)
                            continue
                        }
                        guard let self else { return }
                        await advance(watch) { $0.pass(to: clock.now()) }
                    }
                }
            }
        }
    }

    private func advance(_ watch: TriggerWatch, by sign: MachineSign) async {
        guard case .said(let bytes, _) = sign.what else { return await advance(watch) { $0.take(sign) } }
        let findings = await watch.listener.listen(to: bytes, for: watch.book.patterns(in: sign))
        await advance(watch) { $0.take(findings, at: sign.at) }
    }

    private func advance(_ watch: TriggerWatch, _ body: (inout TriggerBook) -> Void) async {
        await change(watch, body)
        actOnDue(watch)
    }
}
