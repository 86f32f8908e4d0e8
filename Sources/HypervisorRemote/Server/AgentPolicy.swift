public import HypervisorAPI

/// What a host's owner lets a control instance do with it. A control instance commands; this is the limit of what it can.
public struct AgentPolicy: Codable, Hashable, Sendable {
    /// QEMU binaries, absolute paths, or folders ending in `/` whose `qemu-system-…` may run.
    public var binaries: [String]
    /// Folders below which firmware, kernels and disks may lie, absolute.
    public var folders: [String]
    /// Raw QEMU arguments, and what amounts to them, can do whatever the agent's user can.
    public var allowsArguments: Bool
    /// So can the commands of resources.
    public var allowsResources: Bool
    /// And machines that somebody else started, with the command lines that they had.
    public var allowsAdoption: Bool
    /// At which links to other hosts may receive.
    public var linkPorts: LinkPorts

    public init(
        binaries: [String] = ["/usr/bin/"],
        folders: [String] = [],
        allowsArguments: Bool = false,
        allowsResources: Bool = false,
        allowsAdoption: Bool = false,
        linkPorts: LinkPorts = .usual
    ) {
        self.binaries = binaries
        self.folders = folders
        self.allowsArguments = allowsArguments
        self.allowsResources = allowsResources
        self.allowsAdoption = allowsAdoption
        self.linkPorts = linkPorts
    }

    /// Options of `-machine` that neither name files nor reach out of the machine.
    private static let machineOptions: Set<String> = [
        "acpi", "aclint", "aia", "aia-guests", "execute-in-place", "fd-bootchk", "fmc-model", "gic-version", "graphics",
        "highmem",
        "hmat", "hpet", "i8042", "iommu", "its", "mem-merge", "mte", "nvdimm", "pic", "pit", "ras", "sata", "secure",
        "smbus", "smm",
        "spi-model", "usb", "virtualization", "vmport",
    ]

    /// - Parameter home: the agent's state folder.
    /// - Returns: every reason, not only the first.
    func obstacles(to order: Order, home: String) -> [Reason] {
        switch order {
        case .suspend, .checkpoint: []
        case .start(let order): obstacles(to: order.simulation, home: home)
        case .resume(let order):
            obstacles(to: order.simulation, of: order.machines, home: home)
                + order.machines.flatMap { obstaclesToLaunch($0, home: home) + obstacles(to: $0, home: home) }
        }
    }

    /// What of it may be done with what comes from another host.
    var limits: ArrivalLimits { ArrivalLimits(binaries: binaries, looksAround: allowsArguments) }

    /// Why what came may not go on here.
    func obstacles(to arrival: Arrival, home: String) -> [Reason] {
        arrival.machines.flatMap { obstaclesToLaunch($0, home: home) }
    }

    /// What machines were started with leaves with them: a control instance can have no file that a machine could not have.
    func obstacles(to order: DepartureOrder, home: String) -> [Reason] {
        obstacles(to: order.checkpoint, home: home)
            + order.checkpoint.machines.flatMap { obstaclesToLaunch($0, home: home) }
    }

    func obstacles(to order: AdoptOrder) -> [Reason] {
        allowsAdoption ? [] : [forbidden(order.machine, "adopting machines", "--allow-adopt")]
    }

    func obstacles(to checkpoint: StoredCheckpoint, home: String) -> [Reason] {
        checkpoint.machines.flatMap { obstacles(to: $0, home: home) }
            + checkpoint.links.filter { !Self.isInside($0.file.path, "links") }.map { fileElsewhere(nil, $0.file.path) }
    }

    /// A checkpoint's files lie at their places in its folder. A disk may also be that of a checkpoint before it, or an image that may be
    /// used anyway. Nothing else: a guest writes what it likes into its RAM, an image that leads to other files, too.
    private func obstacles(to machine: MachineCheckpoint, home: String) -> [Reason] {
        let own = "machines/\(machine.name)"
        var reasons: [Reason] = []
        if machine.state.path != "\(own)/state.qemu" { reasons.append(fileElsewhere(machine.name, machine.state.path)) }
        if let ram = machine.ram, ram.path != "\(own)/ram" { reasons.append(fileElsewhere(machine.name, ram.path)) }
        for file in machine.launchFiles ?? [] where !Self.isInside(file.file.path, "\(own)/launch") {
            reasons.append(fileElsewhere(machine.name, file.file.path))
        }
        for disk in machine.disks where !isDisk(disk, of: machine.name, home: home) {
            reasons.append(fileElsewhere(machine.name, disk.file.path))
        }
        return reasons
    }

    private func obstaclesToLaunch(_ machine: MachineCheckpoint, home: String) -> [Reason] {
        let adopted = machine.launch.adoptedArguments == nil || allowsAdoption
        return obstacles(to: machine.launch.spec, frozen: machine.disks, home: home)
            + (adopted ? [] : [forbidden(machine.name, "machines that were adopted", "--allow-adopt")])
    }

    private func isDisk(_ disk: FrozenDisk, of machine: String, home: String) -> Bool {
        let path = disk.file.path
        if path == "machines/\(machine)/disk-\(disk.id).\(disk.format)" || isAllowed(file: path) { return true }
        guard let parts = Self.parts(of: path, home: home) else { return false }
        return parts.count == 5 && parts[2] == "machines" && parts[4].hasPrefix("disk-")
            && parts[4].hasSuffix(".\(disk.format)")
    }

    /// What a machine brought along from another host, and is started with: nobody but an import writes there.
    private func isBrought(file path: String, home: String) -> Bool {
        guard let parts = Self.parts(of: path, home: home) else { return false }
        return parts.count == 6 && parts[2] == "machines" && parts[4] == "launch"
    }

    /// Of a path in a checkpoint of this host: one that is whole. What arrives, or is not yet settled in, has a name with a dot, and
    /// holds what somebody sent and nobody has looked at.
    private static func parts(of path: String, home: String) -> [Substring]? {
        let checkpoints = "\(home)/checkpoints/"
        guard isPlain(path), path.hasPrefix(checkpoints) else { return nil }
        let parts = path.dropFirst(checkpoints.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 2, Name.isValid(String(parts[0])), Name.isValid(String(parts[1])) else { return nil }
        return parts
    }

    /// - Parameter saved: its machines that go on from what was saved.
    private func obstacles(to simulation: SimulationSpec, of saved: [MachineCheckpoint] = [], home: String) -> [Reason]
    {
        var reasons = simulation.machines.flatMap { machine in
            let disks = saved.first { $0.name == machine.name }?.disks ?? []
            return obstacles(to: machine, frozen: disks, home: home)
        }
        if !simulation.resources.isEmpty, !allowsResources {
            reasons.append(forbidden(nil, "resources, which are commands,", "--allow-resources"))
        }
        for end in simulation.links.flatMap(\.ends) {
            let words = [end.device].compactMap(\.self) + (end.mac?.split(separator: ":").map(String.init) ?? [])
            guard words.allSatisfy(NameCheck.isToken) || allowsArguments else {
                reasons.append(forbidden(end.machine, "options of network devices", "--allow-args"))
                continue
            }
        }
        // Either end: a link is also a way to send what one likes to whom one likes.
        for end in simulation.links.flatMap(\.ends) {
            guard let address = end.address, !(end.port.map(linkPorts.contains) ?? false) else { continue }
            reasons.append(
                Reason(
                    code: "agent-forbids",
                    machine: end.machine,
                    message: "this agent has no link end at \(address): its --link-ports are \(linkPorts)"
                )
            )
        }
        return reasons
    }

    /// - Parameter frozen: disks that it has from a checkpoint, which are looked at there: it does not use what they once were made of.
    private func obstacles(to machine: MachineSpec, frozen: [FrozenDisk] = [], home: String) -> [Reason] {
        var reasons: [Reason] = []
        if !isAllowed(binary: machine.qemu) {
            reasons.append(
                Reason(
                    code: "agent-forbids",
                    machine: machine.name,
                    message: "this agent does not run \(machine.qemu): its --qemu names what it runs"
                )
            )
        }
        let launch = [machine.firmware, machine.kernel, machine.initrd].compactMap(\.self)
            .filter { !isBrought(file: $0, home: home) }
        let disks = machine.disks.filter { disk in !frozen.contains { $0.id == disk.id } }.map(\.file)
        reasons += (launch + disks).filter { !isAllowed(file: $0) }.map { fileElsewhere(machine.name, $0) }
        guard !allowsArguments else { return reasons }
        if !machine.arguments.isEmpty {
            reasons.append(forbidden(machine.name, "raw QEMU arguments", "--allow-args"))
        }
        let options = machine.machineOptions
        let known = options.allSatisfy { Self.machineOptions.contains($0.key) && NameCheck.isToken($0.value) }
        if !known || !NameCheck.isToken(machine.machineType) {
            reasons.append(forbidden(machine.name, "these options of -machine", "--allow-args"))
        }
        return reasons
    }

    private func isAllowed(binary: String) -> Bool {
        ArrivalLimits.admits(binary, by: binaries)
    }

    private func isAllowed(file: String) -> Bool {
        Self.isPlain(file) && folders.contains { file.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
    }

    /// One name in that folder of a checkpoint.
    private static func isInside(_ path: String, _ folder: String) -> Bool {
        path.hasPrefix(folder + "/") && isPlain("/" + path) && !path.dropFirst(folder.count + 1).contains("/")
            && path.count > folder.count + 1
    }

    /// Absolute, nothing in it leads up again, and QEMU takes it for one. Links are the owner's: who makes one in an allowed folder
    /// allows what it leads to.
    private static func isPlain(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.split(separator: "/").contains { $0 == ".." || $0 == "." }
            && !path.utf8.contains { $0 == 0 || $0 == UInt8(ascii: ",") }
    }

    private func fileElsewhere(_ machine: String?, _ file: String) -> Reason {
        Reason(
            code: "agent-forbids",
            machine: machine,
            message: "this agent does not let machines have \(file): its --files names the folders that they may use"
        )
    }

    private func forbidden(_ machine: String?, _ what: String, _ option: String) -> Reason {
        Reason(
            code: "agent-forbids",
            machine: machine,
            message: "this agent does not allow \(what): it was started without \(option)"
        )
    }
}
