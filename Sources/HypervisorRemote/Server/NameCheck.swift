import HypervisorAPI

/// Names in what another side sent: they become names of files here, so each has to be one, and nothing else.
enum NameCheck {
    static func simulation(_ name: String) throws(HypervisorError) {
        try require(Name.isValid(name), name, "a simulation")
    }

    static func operation(_ id: OperationID) throws(HypervisorError) {
        let bytes = id.text.utf8
        try require((1...64).contains(bytes.count) && bytes.allSatisfy(isPlain), id.text, "an operation")
    }

    static func machine(_ machine: MachinePlace) throws(HypervisorError) {
        try simulation(machine.simulation)
        try require(Name.isValid(machine.machine), machine.machine, "a machine")
    }

    static func serialPort(_ port: SerialPlace) throws(HypervisorError) {
        try machine(MachinePlace(simulation: port.simulation, machine: port.machine))
        try require((0...255).contains(port.number), "\(port.number)", "a serial port")
    }

    static func order(_ order: Order) throws(HypervisorError) {
        try operation(order.operation)
        try simulation(order.simulation)
        try unique(order.machines, "a machine")
        switch order {
        case .start(let order): try spec(order.simulation)
        case .suspend, .checkpoint: break
        case .resume(let order):
            try spec(order.simulation)
            try checkpoints(order.machines)
            try unique(order.links.map { "\($0.link)" }, "a link", times: 2)
        }
    }

    static func stored(_ checkpoint: StoredCheckpoint) throws(HypervisorError) {
        try checkpoints(checkpoint.machines)
        try unique(checkpoint.links.map(\.link), "a link", times: 2)
    }

    static func arrival(_ order: ArrivalOrder) throws(HypervisorError) {
        try spec(order.simulation)
        try stored(order.checkpoint)
    }

    static func grant(_ order: GrantOrder) throws(HypervisorError) {
        try require(Name.isValid(order.reader), order.reader, "a host")
    }

    /// Its address becomes part of a URL.
    static func fetch(_ order: FetchOrder) throws(HypervisorError) {
        let grant = order.grant
        try require(Name.isValid(grant.host), grant.host, "a host")
        guard AgentAddress.isValid(grant.address) else {
            throw HypervisorError(
                code: "message-invalid",
                message: "'\(grant.address.prefix(80))' is no address of an agent"
            )
        }
        try require(isToken(grant.ticket), "a ticket", "a ticket")
    }

    private static func spec(_ spec: SimulationSpec) throws(HypervisorError) {
        try simulation(spec.name)
        try unique(spec.machines.map(\.name), "a machine")
        try unique(spec.links.map(\.name), "a link")
        try unique(spec.resources.map(\.name), "a resource")
        for machine in spec.machines { try disks(of: machine) }
        for end in spec.links.flatMap(\.ends) { try require(Name.isValid(end.machine), end.machine, "a machine") }
    }

    private static func checkpoints(_ machines: [MachineCheckpoint]) throws(HypervisorError) {
        try unique(machines.map(\.name), "a machine")
        for machine in machines {
            try require(machine.launch.spec.name == machine.name, machine.launch.spec.name, "machine \(machine.name)")
            try disks(of: machine.launch.spec)
            for disk in machine.disks {
                try require(isToken(disk.id), disk.id, "a disk")
                try require(isToken(disk.format), disk.format, "a disk's format")
            }
        }
    }

    private static func disks(of machine: MachineSpec) throws(HypervisorError) {
        for disk in machine.disks {
            try require(isToken(disk.id), disk.id, "a disk")
            if let format = disk.format { try require(isToken(format), format, "a disk's format") }
        }
    }

    private static func unique(_ names: [String], _ what: String, times: Int = 1) throws(HypervisorError) {
        for name in names { try require(Name.isValid(name), name, what) }
        for (name, all) in Dictionary(grouping: names, by: \.self) where all.count > times {
            throw HypervisorError(code: "message-invalid", message: "there is \(what) '\(name)' \(all.count) times")
        }
    }

    /// Whether it is one word that no file name and no option of QEMU's takes for more than that.
    static func isToken(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...64).contains(bytes.count) && bytes.first != UInt8(ascii: ".") && bytes.first != UInt8(ascii: "-")
            && bytes.allSatisfy { isPlain($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func require(_ isSo: Bool, _ name: String, _ what: String) throws(HypervisorError) {
        guard !isSo else { return }
        throw HypervisorError(code: "message-invalid", message: "'\(name.prefix(80))' cannot be the name of \(what)")
    }
}
