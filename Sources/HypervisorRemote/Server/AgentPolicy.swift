import HypervisorAPI

/// What a host's owner lets a control instance do with it. A control instance commands; this is the limit of what it can.
public struct AgentPolicy: Codable, Hashable, Sendable {
    /// QEMU binaries, absolute paths, or folders ending in `/` whose `qemu-system-…` may run.
    public var binaries: [String]
    /// Folders below which firmware, kernels and disks may lie, absolute.
    public var folders: [String]
    /// Raw QEMU arguments can do whatever the agent's user can.
    public var allowsArguments: Bool
    /// So can the commands of resources.
    public var allowsResources: Bool
    /// And machines that somebody else started.
    public var allowsAdoption: Bool

    public init(
        binaries: [String] = ["/usr/bin/"],
        folders: [String] = [],
        allowsArguments: Bool = false,
        allowsResources: Bool = false,
        allowsAdoption: Bool = false
    ) {
        self.binaries = binaries
        self.folders = folders
        self.allowsArguments = allowsArguments
        self.allowsResources = allowsResources
        self.allowsAdoption = allowsAdoption
    }

    /// Every reason, not only the first.
    func obstacles(to order: Order) -> [Reason] {
        switch order {
        case .suspend, .checkpoint: []
        case .start(let order): obstacles(to: order.simulation, order.simulation.machines)
        case .resume(let order):
            obstacles(to: order.simulation, order.machines.map(\.launch.spec))
                + order.machines.filter { $0.launch.adoptedArguments != nil }.flatMap { machine in
                    allowsAdoption ? [] : [forbidden(machine.name, "machines that were adopted", "--allow-adopt")]
                }
        }
    }

    func obstacles(to order: AdoptOrder) -> [Reason] {
        allowsAdoption ? [] : [forbidden(order.machine, "adopting machines", "--allow-adopt")]
    }

    private func obstacles(to simulation: SimulationSpec, _ machines: [MachineSpec]) -> [Reason] {
        let resources = simulation.resources.isEmpty || allowsResources
        return machines.flatMap(obstacles)
            + (resources ? [] : [forbidden(nil, "resources, which are commands,", "--allow-resources")])
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
        for file in files where !isAllowed(file: file) {
            reasons.append(
                Reason(
                    code: "agent-forbids",
                    machine: machine.name,
                    message:
                        "this agent does not let machines have \(file): its --files names the folders that they may use"
                )
            )
        }
        if !machine.arguments.isEmpty, !allowsArguments {
            reasons.append(forbidden(machine.name, "raw QEMU arguments", "--allow-args"))
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

    /// Absolute, and nothing in it leads up again. Links are the owner's: who makes one in an allowed folder allows what it leads to.
    private static func isPlain(_ path: String) -> Bool {
        path.hasPrefix("/") && !path.split(separator: "/").contains { $0 == ".." || $0 == "." } && !path.contains("\0")
    }

    private func forbidden(_ machine: String?, _ what: String, _ option: String) -> Reason {
        Reason(
            code: "agent-forbids",
            machine: machine,
            message: "this agent does not allow \(what): it was started without \(option)"
        )
    }
}
