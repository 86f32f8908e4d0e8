import HypervisorAPI
import Time

/// What a clone is launched from: a checkpoint's manifest, changed where two of one simulation would be in each other's way.
struct Clone: Sendable {
    let manifest: CheckpointManifest
    let notes: [String]
    private let origin: Origin

    /// - Parameter id: of the checkpoint.
    init(of source: CheckpointManifest, id: String, as name: String, newMACs: Bool) {
        origin = Origin(simulation: source.simulation, checkpoint: source.name, id: id)
        var manifest = source
        manifest.spec = Self.spec(source.spec, as: name, newMACs: newMACs)
        var unaware: [String] = []
        var shared: [String] = []
        for index in manifest.machines.indices {
            let launch = manifest.machines[index].launch
            let machine = manifest.machines[index].name
            let arguments = launch.adoptedArguments ?? launch.spec.arguments
            if !arguments.contains(where: { Self.isGenerationID($0) }) { unaware.append(machine) }
            shared += arguments.filter { Self.isSharedOutside($0) }.map { "\(machine): \($0)" }
            manifest.machines[index].launch.spec.arguments = launch.spec.arguments.map { Self.renewed($0) }
            manifest.machines[index].launch.adoptedArguments = launch.adoptedArguments?.map { Self.renewed($0) }
        }
        self.manifest = manifest
        var notes: [String] = []
        if !unaware.isEmpty {
            notes.append(
                "clones share random state with \(origin) and with each other (seeds, keys, session tokens): no vmgenid device "
                    + "tells that to \(unaware.joined(separator: ", "))"
            )
        }
        if newMACs {
            notes.append(
                "a guest keeps the MAC address that its driver has read before: it has the new one when that is loaded again"
            )
        }
        if !shared.isEmpty {
            notes.append(
                "raw arguments name sockets or ports, which clones do not get of their own: \(shared.joined(separator: "; "))"
            )
        }
        self.notes = notes
    }

    /// As it is once it runs. It stands at no checkpoint of its own.
    func record(at now: HostInstant) -> SimulationRecord {
        SimulationRecord(
            name: manifest.spec.name,
            state: .running,
            spec: manifest.spec,
            machines: manifest.machineRecords,
            checkpoint: nil,
            origin: origin,
            created: now
        )
    }

    /// Addresses that nobody named are made from the simulation's name, and the guests know those of the old one.
    private static func spec(_ old: SimulationSpec, as name: String, newMACs: Bool) -> SimulationSpec {
        var spec = old
        spec.name = name
        for machine in spec.machines.indices {
            spec.machines[machine].arguments = spec.machines[machine].arguments.map { renewed($0) }
        }
        guard newMACs else {
            spec.keepAddresses(of: old.name) { HexDigest.sha256($0) }
            return spec
        }
        for link in spec.links.indices {
            for end in spec.links[link].ends.indices { spec.links[link].ends[end].mac = nil }
        }
        return spec
    }

    private static func isGenerationID(_ argument: String) -> Bool {
        argument == "vmgenid" || argument.hasPrefix("vmgenid,")
    }

    /// By another generation a guest learns that it is a copy. Without `guid=` QEMU makes a new one at each launch anyway.
    private static func renewed(_ argument: String) -> String {
        guard isGenerationID(argument) else { return argument }
        return argument.split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("guid=") ? "guid=auto" : String($0) }.joined(separator: ",")
    }

    private static func isSharedOutside(_ argument: String) -> Bool {
        ["unix:/", "tcp:", "udp:", "hostfwd=", "port="].contains { argument.contains($0) }
            || argument.hasPrefix("socket,") && argument.contains("path=/")
    }
}
