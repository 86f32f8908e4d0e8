import HypervisorAPI

extension SimulationSpec {
    /// What the manifest promises and a request need not keep: names become names of folders and files, of QEMU's and of
    /// a checkpoint's, and two of one name would be the same folder.
    /// - Throws: all that is wrong, with exit code 2.
    func check() throws(ControlError) {
        var reasons: [Reason] = []
        let named =
            [(name, "simulation")] + machines.map { ($0.name, "machine") } + links.map { ($0.name, "link") }
            + resources.map { ($0.name, "resource") } + machines.flatMap(\.disks).map { ($0.id, "disk") }
        for (name, kind) in named where !Name.isValid(name) { reasons += Name.error(name, of: kind).reasons }
        reasons += repeated(machines.map(\.name), "machines").map { .specInvalid($0) }
        reasons += repeated(links.map(\.name), "links").map { .specInvalid($0) }
        reasons += repeated(resources.map(\.name), "resources").map { .specInvalid($0) }
        for machine in machines {
            let problems = repeated(machine.disks.map(\.id), "disks") + serialProblems(of: machine)
            reasons += problems.map { .specInvalid($0, machine: machine.name) }
        }
        for link in links { reasons += problems(of: link).map { .specInvalid("link '\(link.name)' \($0)") } }
        let addresses = links.flatMap(\.ends).compactMap { $0.mac?.lowercased() }
        reasons += repeated(addresses, "network cards").map { .specInvalid($0) }
        reasons += triggerProblems.map { .specInvalid($0) }
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 2) }
    }

    private func repeated(_ names: [String], _ what: String) -> [String] {
        Dictionary(grouping: names, by: { $0 }).filter { $0.value.count > 1 }.keys.sorted().map {
            "there are two \(what) named '\($0)'"
        }
    }

    private func problems(of link: LinkSpec) -> [String] {
        guard link.ends.count == 2 else { return ["has \(link.ends.count) ends; a link has two"] }
        var problems = link.ends.map(\.machine).filter { end in !machines.contains { $0.name == end } }.map {
            "leads to '\($0)', which is no machine of \(name)"
        }
        if link.ends[0].machine == link.ends[1].machine { problems.append("joins a machine to itself") }
        return problems
    }

    private func serialProblems(of machine: MachineSpec) -> [String] {
        let listed = machine.serials.compactMap { if case .link(let name) = $0 { name } else { nil } }
        let own = links.filter { $0.kind == .serial && $0.ends.contains { $0.machine == machine.name } }.map(\.name)
        return repeated(listed, "serial ports")
            + Set(listed).subtracting(own).sorted().map { "'\($0)' is no serial link of it" }
    }
}

extension Reason {
    fileprivate static func specInvalid(_ message: String, machine: String? = nil) -> Reason {
        Reason(code: "spec-invalid", machine: machine, message: message)
    }
}
