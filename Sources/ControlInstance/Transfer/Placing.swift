import HypervisorAPI

/// Which machine of a checkpoint comes to which host.
struct Placing {
    /// Of hosts, by machine.
    var hosts: [String: String] = [:]
    /// What their descriptions shall say: as before, or the host; nil of the control instance's own.
    var wishes: [String: String] = [:]
    /// What is other than described.
    var notes: [String] = []

    func others(than own: String) -> [String] { Set(hosts.values).subtracting([own]).sorted() }

    /// The machines and what was on its way to them, of a checkpoint that lies in a folder.
    func part(of manifest: CheckpointManifest, on host: String, in folder: String) -> StoredCheckpoint {
        let machines = manifest.machines.filter { hosts[$0.name] == host }
        let names = machines.map(\.name)
        let links = manifest.links.filter { names.contains($0.towards) }
        return StoredCheckpoint(folder: folder, machines: machines, links: links)
    }

    /// Says in the descriptions of machines where they are now.
    func describe(_ manifest: inout CheckpointManifest) {
        for index in manifest.machines.indices {
            manifest.machines[index].launch.spec.host = wishes[manifest.machines[index].name]
        }
        for index in manifest.spec.machines.indices {
            let name = manifest.spec.machines[index].name
            if hosts[name] != nil { manifest.spec.machines[index].host = wishes[name] }
        }
    }
}

extension ControlInstance {
    /// Where the machines of an archive go: where somebody says, else where their description does, else to this host.
    /// - Throws: every reason why not (exit code 3).
    func placing(_ archived: CheckpointManifest, _ wanted: [String: String]) throws(ControlError) -> Placing {
        var placing = Placing()
        var reasons = strangers(in: wanted, among: archived.machines.map(\.name))
        for machine in archived.machines {
            let name = machine.name
            let described =
                archived.spec.machines.first { $0.name == name }?.host ?? machine.launch.spec.host
            if let host = wanted[name] {
                placing.hosts[name] = host
                placing.wishes[name] = host == ownHost ? nil : host
            } else if let described, let host = hypervisor(of: host(named: described))?.host {
                placing.hosts[name] = host
                placing.wishes[name] = described
            } else {
                placing.hosts[name] = ownHost
                if let described {
                    placing.notes.append(
                        "\(name): is described to be on host '\(described)', which is not known here: it comes to \(ownHost); "
                            + "--host \(name)=HOST names another"
                    )
                }
            }
            if var reason = obstacle(toPlacing: name, on: placing.hosts[name] ?? ownHost) {
                reason.message += ", --host \(name)=HOST names another"
                reasons.append(reason)
            }
        }
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
        return placing
    }

    /// What is wrong with who is to go where.
    func strangers(in wanted: [String: String], among machines: [String]) -> [Reason] {
        var reasons: [Reason] = []
        for (machine, host) in wanted.sorted(by: { $0.key < $1.key }) {
            if !machines.contains(machine) {
                let known = machines.sorted().joined(separator: ", ")
                reasons.append(
                    Reason(code: "machine-unknown", message: "there is no machine '\(machine)' in it, only \(known)")
                )
            }
            if let reason = stranger(host, machine) { reasons.append(reason) }
        }
        return reasons
    }

    private func stranger(_ host: String, _ machine: String) -> Reason? {
        guard hypervisor(of: host) == nil else { return nil }
        let known = hypervisors.map(\.host).sorted().joined(separator: ", ")
        return Reason(
            code: "host-not-found",
            machine: machine,
            message: "there is no host '\(host)'; known: \(known)"
        )
    }

    /// Before the machines are known.
    func refuseUnknownHosts(_ wanted: [String: String]) throws(ControlError) {
        let reasons = wanted.sorted { $0.key < $1.key }.flatMap { machine, host in
            [stranger(host, machine), obstacle(toPlacing: machine, on: host)].compactMap(\.self)
        }
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
    }
}
