import HostClock
import HypervisorAPI
import Synchronization
import Time

/// The hosts besides its own.
extension ControlInstance {
    /// Takes up the hosts of the database; whether they answer is seen when they are asked.
    func connectHosts(_ report: inout RecoveryReport) async {
        do throws(ControlError) {
            for record in try await reading({ () throws(StoreError) in try await self.store.hosts() })
            where hypervisor(of: record.name) == nil {
                do throws(ControlError) {
                    let added = AddedHost(record: record, hypervisor: try connection(to: record))
                    state.withLock { $0.added[record.name] = added }
                } catch {
                    report.problems += error.reasons
                }
            }
        } catch {
            report.problems += error.reasons
        }
    }

    /// Adds a host; its agent has to answer, and to be that host.
    /// - Throws: `host-exists`, `address-invalid`, `hosts-not-possible`, `host-unreachable`…
    public func addHost(_ request: HostRequest) async throws(ControlError) -> HostReport {
        try Name.check(request.name, of: "host")
        try Annotations(labels: request.labels).check()
        guard AgentAddress.isValid(request.address) else {
            throw ControlError(
                code: "address-invalid",
                message: "'\(request.address)' is no address of an agent: write HOST:PORT, such as lab2.example:7443",
                exitCode: 2
            )
        }
        guard hypervisor(of: request.name) == nil else {
            throw ControlError(code: "host-exists", message: "there is a host '\(request.name)' already", exitCode: 3)
        }
        let record = HostRecord(
            name: request.name,
            address: request.address,
            labels: request.labels,
            added: clock.now()
        )
        let added = AddedHost(record: record, hypervisor: try connection(to: record))
        let report = await self.report(of: added, simulations: [])
        guard report.problems.isEmpty else { throw ControlError(report.problems, exitCode: 3) }
        let isFirst = state.withLock { state in
            guard state.added[record.name] == nil else { return false }
            state.added[record.name] = added
            return true
        }
        guard isFirst else {
            throw ControlError(code: "host-exists", message: "there is a host '\(request.name)' already", exitCode: 3)
        }
        do throws(ControlError) {
            try await writing(StoreChange(host: record))
        } catch {
            state.withLock { _ = $0.added.removeValue(forKey: record.name) }
            throw error
        }
        return report
    }

    /// Every host as it is now, its own first.
    public func hosts() async throws(ControlError) -> [HostReport] {
        let simulations = try await reading { () throws(StoreError) in try await self.store.simulations() }
        let own = HostRecord(name: ownHost, address: "", added: clock.now())
        var hosts = [AddedHost(record: own, hypervisor: hypervisors[0])]
        hosts += state.withLock { Array($0.added.values) }.sorted { $0.record.name < $1.record.name }
        let reports = await withTaskGroup { group in
            for (index, host) in hosts.enumerated() {
                group.addTask { (index, await self.report(of: host, simulations: simulations)) }
            }
            return await group.reduce(into: [Int: HostReport]()) { $0[$1.0] = $1.1 }
        }
        return hosts.indices.compactMap { reports[$0] }
    }

    /// - Parameter drained: false: it takes machines again.
    /// - Throws: `host-not-found`; also for its own host, which is not drained but ended.
    public func drainHost(_ name: String, drained: Bool) async throws(ControlError) -> HostReport {
        var host = try addedHost(name)
        host.record.drained = drained
        try await writing(StoreChange(host: host.record))
        state.withLock { $0.added[name]?.record.drained = drained }
        let simulations = try await reading { () throws(StoreError) in try await self.store.simulations() }
        return await report(of: host, simulations: simulations)
    }

    /// Forgets a host.
    /// - Parameter force: also one that is gone for good: its machines are taken for ended, its parts of checkpoints for lost.
    /// - Throws: `host-in-use` while machines live or checkpoints lie there.
    public func removeHost(_ name: String, force: Bool) async throws(ControlError) {
        let host = try addedHost(name)
        let users = force ? [] : try await users(of: name)
        guard users.isEmpty else {
            throw ControlError(
                code: "host-in-use",
                message: "host '\(name)' is needed by \(users.prefix(5).joined(separator: ", ")): 'fermata down' and "
                    + "'fermata rm' end that; of a host that is gone for good, --force forgets what is there",
                exitCode: 3
            )
        }
        try await writing(StoreChange(removedHost: host.record.name))
        state.withLock { _ = $0.added.removeValue(forKey: name) }
    }

    /// Simulations that have machines on a host now, checkpoints of which it has a part or may have one, and operations under way.
    private func users(of name: String) async throws(ControlError) -> [String] {
        let simulations = try await reading { () throws(StoreError) in try await self.store.simulations() }
        var users = simulations.filter { $0.state == .running && $0.machines.contains { $0.host == name } }.map(\.name)
        for checkpoint in try await reading({ () throws(StoreError) in try await self.store.checkpoints(of: nil) }) {
            let place = checkpointSet.place(of: checkpoint.name, simulation: checkpoint.simulation)
            let machines = try? checkpointSet.load(place).machines
            if machines?.contains(where: { $0.host == name }) ?? true {
                users.append("\(place.simulation)@\(place.name)")
            }
        }
        users += try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
            .filter { $0.hosts.contains(name) }.map(\.id.text)
        return users
    }

    /// The host that a manifest means: by its name, or by a label (`KEY=VALUE`) the first that has it and takes machines.
    func host(named wish: String) -> String {
        guard wish.contains("=") else { return wish }
        let parts = wish.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let fitting = state.withLock { $0.added.values.filter { $0.record.labels[parts[0]] == parts[1] } }
            .sorted { $0.record.name < $1.record.name }
        return (fitting.first { !$0.record.drained } ?? fitting.first)?.record.name ?? wish
    }

    /// Why nothing may be begun on a host.
    func obstacle(toPlacing machine: String, on host: String) -> Reason? {
        guard state.withLock({ $0.added[host]?.record.drained }) == true else { return nil }
        return Reason(
            code: "host-drained",
            machine: machine,
            message: "host '\(host)' takes no new machines: 'fermata host drain \(host) --undo' lets it"
        )
    }

    private func addedHost(_ name: String) throws(ControlError) -> AddedHost {
        if let host = state.withLock({ $0.added[name] }) { return host }
        throw ControlError(code: "host-not-found", message: "no host '\(name)' was added; 'fermata host ls' lists them")
    }

    private func report(of host: AddedHost, simulations: [SimulationRecord]) async -> HostReport {
        var report = HostReport(
            name: host.record.name,
            address: host.record.address.isEmpty ? nil : host.record.address,
            labels: host.record.labels,
            state: host.record.drained ? .drained : .ready,
            machines: simulations.filter { $0.state == .running }.flatMap(\.machines)
                .filter { $0.host == host.record.name }.count,
            description: nil,
            problems: []
        )
        do throws(ControlError) {
            report.description = try await ask(host.hypervisor, within: Self.descriptionTimeout) {
                hypervisor throws(HypervisorError) in try await hypervisor.describe()
            }
        } catch {
            report.state = .unreachable
            report.problems = error.reasons
        }
        return report
    }
}
