import HypervisorAPI
import Logging
import Synchronization
import Time

/// Other control instances with the same state database: each drives its own operations, and those of one that is gone are taken up.
extension ControlInstance {
    struct Peers: Sendable {
        /// Who has the right to change a simulation now, by its name.
        var drivers: [String: String] = [:]
        /// Their own hosts, whose machines nobody else reaches.
        var hosts: Set<String> = []
        /// The own hosts of those that were heard of lately.
        var live: Set<String> = []
    }

    func peers() async throws(ControlError) -> Peers {
        guard store.isShared else { return Peers() }
        let all = try await reading { () throws(StoreError) in try await self.store.peers() }
        var peers = Peers()
        for peer in all {
            peers.hosts.insert(peer.name)
            guard peer.isLive else { continue }
            peers.live.insert(peer.name)
            for simulation in peer.simulations { peers.drivers[simulation] = peer.name }
        }
        for hypervisor in hypervisors { peers.hosts.remove(hypervisor.host) }
        return peers
    }

    /// - Throws: `host-elsewhere` when machines of a simulation are on another control instance's own host.
    func refuseElsewhere(_ simulation: SimulationRecord) async throws(ControlError) {
        let hosts = try await peers().hosts.intersection(simulation.machines.map(\.host))
        guard !hosts.isEmpty else { return }
        throw ControlError([.elsewhere(simulation.name, hosts)], exitCode: 3)
    }

    // MARK: - Recovery

    /// Settles what an earlier process of this instance left, or one that is gone; not what others are at.
    func settleFound(
        _ operations: [OperationRecord],
        undecided: UndecidedAnswers,
        _ peers: Peers
    ) async -> (reports: [OperationReport], problems: [Reason]) {
        let found = operations.filter { peers.drivers[$0.simulation] == nil }
        // At once: a simulation whose machines do not answer must not keep the others standing.
        return await withTaskGroup(of: (reports: [OperationReport], problems: [Reason]).self) { group in
            for (simulation, operations) in Dictionary(grouping: found, by: \.simulation) {
                group.addTask {
                    do throws(ControlError) {
                        try await self.claim(simulation, .verb("recovery"))
                    } catch {
                        return ([], error.isDrivenElsewhere ? [] : error.reasons)
                    }
                    defer { self.release(simulation) }
                    return (await self.settleAll(operations, undecided: undecided), [])
                }
            }
            return await group.reduce(into: ([], [])) { all, some in
                all.0 += some.reports
                all.1 += some.problems
            }
        }
    }

    private func settleAll(
        _ operations: [OperationRecord],
        undecided: UndecidedAnswers
    ) async -> [OperationReport] {
        await withTaskGroup { group in
            for operation in operations { group.addTask { await self.settle(operation, undecided: undecided) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    // MARK: - While it runs

    /// Looks again and again after what others left behind. Ends with this instance.
    func watchPeers() {
        guard store.isShared else { return }
        let pause = options.peerPause.duration
        Task { [weak self] in
            while true {
                try? await Task.sleep(for: pause)
                guard let self else { return }
                await self.refreshHosts()
                await self.takeUpOrphans()
                await self.lookAfterTriggers()
            }
        }
    }

    /// Operations that nobody drives: their control instance died, or was not heard of for too long.
    private func takeUpOrphans() async {
        guard let unfinished = try? await store.unfinishedOperations(), !unfinished.isEmpty,
            let peers = try? await peers()
        else { return }
        for operation in unfinished where peers.drivers[operation.simulation] == nil {
            let isOwn = state.withLock {
                $0.live[operation.id] != nil || $0.claims[operation.simulation] != nil
                    || $0.settling.contains(operation.id)
            }
            // Hosts of a control instance that is gone answer nobody else: it has to come back.
            guard !isOwn, operation.hosts.allSatisfy({ hypervisor(of: $0) != nil }) else { continue }
            guard let report = try? await settle(operation.id) else { continue }
            logger.notice(
                "took up an operation of another control instance",
                metadata: ["operation": "\(operation.id)", "outcome": "\(report.outcome.rawValue)"]
            )
        }
    }

    private func lookAfterTriggers() async {
        await giveUpTriggersKeptElsewhere()
        guard let peers = try? await peers() else { return }
        try? await takeUpTriggers(peers)
    }

    /// Takes over what others did to the list of hosts.
    func refreshHosts() async {
        guard store.isShared, let records = try? await store.hosts() else { return }
        let before = state.withLock { $0.added }
        var added: [String: AddedHost] = [:]
        for record in records where record.name != ownHost {
            if var host = before[record.name], host.record.address == record.address {
                host.record = record
                added[record.name] = host
            } else if let hypervisor = try? connection(to: record) {
                added[record.name] = AddedHost(record: record, hypervisor: hypervisor)
            }
        }
        state.withLock { state in
            // One that is just being added here is not in the database yet.
            for name in before.keys where added[name] == nil { state.added.removeValue(forKey: name) }
            state.added.merge(added) { _, new in new }
        }
    }

    /// For `doctor`.
    func databaseFindings() async -> [HypervisorDescription.Finding] {
        guard let health = await store.health() else { return [] }
        if let problem = health.problem { return [.init(level: .problem, subject: "database", message: problem)] }
        var findings: [HypervisorDescription.Finding] = []
        let latency = health.latency.map { ", a change takes \(Self.milliseconds($0))" } ?? ""
        findings.append(
            .init(level: .ok, subject: "database", message: "\(health.place), \(health.version)\(latency)")
        )
        for peer in (try? await store.peers()) ?? [] {
            let work = peer.isLive && !peer.simulations.isEmpty
            findings.append(
                .init(
                    level: .ok,
                    subject: "control instance \(peer.name)",
                    message: (peer.isLive ? "is there" : "is not there") + ", state folder \(peer.home)"
                        + (work ? ", drives \(peer.simulations.sorted().joined(separator: ", "))" : "")
                )
            )
        }
        return findings
    }

    private static func milliseconds(_ span: Span) -> String {
        let tenths = (span.nanoseconds + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}

extension ControlError {
    var isDrivenElsewhere: Bool { !reasons.isEmpty && reasons.allSatisfy { $0.code == "driven-elsewhere" } }
}

extension Reason {
    static func elsewhere(_ simulation: String, _ hosts: Set<String>) -> Reason {
        let names = hosts.sorted().joined(separator: ", ")
        return Reason(
            code: "host-elsewhere",
            message:
                "\(simulation) has machines on \(names), the own host of another control instance, which alone reaches them: "
                + "ask there"
        )
    }
}
