import HypervisorAPI

/// The network ends of links in a command line; serial ones are ports and have their place with those.
struct LinkArguments {
    /// The name in a manifest for the NIC that a board has on it.
    static let onboard = "onboard"

    let arguments: [String]

    init(plan: LaunchPlan) {
        let family = MachineFamily(machineType: plan.pinnedMachineType)
        var line: [String] = []
        for attachment in plan.attachments where attachment.link.kind != .serial {
            let link = attachment.link
            let name = StableName.identifier("link", attachment.end == 0 ? link.name : "\(link.name).\(attachment.end)")
            switch link.kind {
            case .dgram: line += ["-netdev", "dgram,id=\(name),local.type=fd,local.str=\(attachment.descriptor)"]
            case .stream:
                line += ["-netdev", "stream,id=\(name),server=off,addr.type=fd,addr.str=\(attachment.descriptor)"]
            case .serial: break
            }
            let end = link.ends[attachment.end]
            let mac =
                end.mac
                ?? StableName.mac(of: link, end: attachment.end, in: plan.simulation)
            let model = end.device ?? family.virtioSuffix.map { "virtio-net-\($0)" } ?? Self.onboard
            line +=
                model == Self.onboard
                ? ["-net", "nic,netdev=\(name),macaddr=\(mac)"]
                : [
                    "-device",
                    "\(model),netdev=\(name),mac=\(mac),id=\(StableName.identifier("nic", link.name + (attachment.end == 0 ? "" : ".\(attachment.end)")))",
                ]
        }
        arguments = line
    }
}
