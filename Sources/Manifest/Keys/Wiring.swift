import HypervisorAPI

/// What machines and links say of each other.
struct Wiring {
    let reading: Reading

    /// Checks the links against the machines and each other.
    mutating func links(_ drafts: [Placed<LinkDraft>], among machines: [Placed<MachineDraft>]) -> [Placed<LinkSpec>] {
        let names = machines.map(\.value.spec.name)
        var known: [String] = []
        var addresses: [String] = []
        for draft in drafts.map(\.value) {
            let link = draft.spec
            if known.contains(link.name) { reading.report("there are two links named '\(link.name)'", at: draft.place) }
            known.append(link.name)
            if link.kind == .serial, ["log", "none"].contains(link.name) {
                reading.report(
                    "a serial line cannot be named '\(link.name)', which means something else",
                    at: draft.place
                )
            }
            for (end, place) in zip(link.ends, draft.ends) {
                if !names.contains(end.machine) {
                    let hint = Similarity.hint(for: end.machine, among: names)
                    reading.report("there is no machine '\(end.machine)'\(hint)", at: place)
                }
                if let mac = end.mac {
                    if addresses.contains(mac) { reading.report("the MAC address \(mac) is there twice", at: place) }
                    addresses.append(mac)
                }
            }
            if link.ends[0].machine == link.ends[1].machine {
                reading.report("link '\(link.name)' joins '\(link.ends[0].machine)' to itself", at: draft.ends[1])
            }
        }
        return drafts.map { Placed(value: $0.value.spec, place: $0.value.place) }
    }

    /// Checks the triggers against the machines, whose ports are known.
    func triggers(_ drafts: [Placed<TriggerDraft>], among machines: [MachineSpec]) -> [TriggerSpec] {
        for draft in drafts.map(\.value) {
            guard let problem = draft.spec.problem(among: machines) else { continue }
            switch problem {
            case .machine(let name):
                let hint = Similarity.hint(for: name, among: machines.map(\.name))
                reading.report("\(problem)\(hint)", at: draft.machine)
            case .port: reading.report("\(problem)", at: draft.port)
            }
        }
        return drafts.map(\.value.spec)
    }

    /// The machine with its serial ports.
    func machine(_ draft: MachineDraft, links: [Placed<LinkSpec>]) -> MachineSpec {
        let own = links.map(\.value).filter { link in
            link.kind == .serial && link.ends.contains { $0.machine == draft.spec.name }
        }.map(\.name)
        var spec = draft.spec
        var listed: [String] = []
        for serial in draft.serials {
            switch serial.value {
            case "log": spec.serials.append(.log)
            case "none": spec.serials.append(.none)
            case let name:
                if !own.contains(name) {
                    let hint = Similarity.hint(for: name, among: own + ["log", "none"])
                    reading.report(
                        "'\(name)' is neither log, none, nor a serial link of this machine\(hint)",
                        at: serial.place
                    )
                } else if listed.contains(name) {
                    reading.report("the serial link '\(name)' is there twice", at: serial.place)
                }
                listed.append(name)
                spec.serials.append(.link(name))
            }
        }
        spec.serials += own.filter { !listed.contains($0) }.map { .link($0) }
        return spec
    }
}
