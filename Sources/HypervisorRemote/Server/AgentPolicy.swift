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
        case .start(let order): obstacles(to: order.simulation)
        case .resume(let order):
            obstacles(to: order.simulation)
                + order.machines.flatMap { obstaclesToLaunch($0) + obstacles(to: $0, home: home) }
        }
    }

    /// What machines were started with leaves with them: a control instance can have no file that a machine could not have.
    func obstacles(to order: DepartureOrder, home: String) -> [Reason] {
        obstacles(to: order.checkpoint, home: home) + order.checkpoint.machines.flatMap(obstaclesToLaunch)
    }

    func obstacles(to order: AdoptOrder) -> [Reason] {
        allowsAdoption ? [] : [forbidden(order.machine, "adopting machines", "--allow-adopt")]
    }

    func obstacles(to checkpoint: StoredCheckpoint, home: String) -> [Reason] {
        checkpoint.machines.flatMap { obstacles(to: $0, home: home) }
            + checkpoint.links.filter { !Self.isInside($0.file.path) }.map { fileElsewhere(nil, $0.file.path) }
    }

    /// A checkpoint's files lie at their places in its folder. A disk may also be that of a checkpoint before it, or an image that may be
    /// used anyway. Nothing else: a guest writes what it likes into its RAM, an image that leads to other files, too.
    private func obstacles(to machine: MachineCheckpoint, home: String) -> [Reason] {
        let own = "machines/\(machine.name)"
        var reasons: [Reason] = []
        if machine.state.path != "\(own)/state.qemu" { reasons.append(fileElsewhere(machine.name, machine.state.path)) }
        if let ram = machine.ram, ram.path != "\(own)/ram" { reasons.append(fileElsewhere(machine.name, ram.path)) }
        for file in machine.launchFiles ?? [] where !Self.isInside(file.file.path) {
            reasons.append(fileElsewhere(machine.name, file.file.path))
        }
        for disk in machine.disks where !isDisk(disk, of: machine.name, home: home) {
            reasons.append(fileElsewhere(machine.name, disk.file.path))
        }
        return reasons
    }

    private func obstaclesToLaunch(_ machine: MachineCheckpoint) -> [Reason] {
        let adopted = machine.launch.adoptedArguments == nil || allowsAdoption
        return obstacles(to: machine.launch.spec)
            + (adopted ? [] : [forbidden(machine.name, "machines that were adopted", "--allow-adopt")])
    }

    private func isDisk(_ disk: FrozenDisk, of machine: String, home: String) -> Bool {
        let path = disk.file.path
        if path == "machines/\(machine)/disk-\(disk.id).\(disk.format)" || isAllowed(file: path) { return true }
        let checkpoints = "\(home)/checkpoints/"
        guard Self.isPlain(path), path.hasPrefix(checkpoints) else { return false }
        let parts = path.dropFirst(checkpoints.count).split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 5 && parts[2] == "machines" && parts[4].hasPrefix("disk-")
            && parts[4].hasSuffix(".\(disk.format)")
    }

    private func obstacles(to simulation: SimulationSpec) -> [Reason] {
        var reasons = simulation.machines.flatMap(obstacles)
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

    private func obstacles(to machine: MachineSpec) -> [Reason] {
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
        let files = [machine.firmware, machine.kernel, machine.initrd].compactMap(\.self) + machine.disks.map(\.file)
        reasons += files.filter { !isAllowed(file: $0) }.map { fileElsewhere(machine.name, $0) }
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
        guard Self.isPlain(binary) else { return false }
        return binaries.contains { allowed in
            allowed == binary
                || allowed.hasSuffix("/") && binary.hasPrefix(allowed + "qemu-system-")
                    && !binary.dropFirst(allowed.count).contains("/")
        }
    }

    private func isAllowed(file: String) -> Bool {
        Self.isPlain(file) && folders.contains { file.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
    }

    /// Relative, and nothing in it leads up.
    private static func isInside(_ path: String) -> Bool { !path.hasPrefix("/") && isPlain("/" + path) }

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
