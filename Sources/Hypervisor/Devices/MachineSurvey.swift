import HypervisorAPI
import JSON
import QMP

/// What a running machine consists of, as its own QEMU tells.
struct MachineSurvey: Hashable, Sendable {
    struct Disk: Hashable, Sendable {
        /// The `-drive` id; empty for `-blockdev`.
        var device: String
        /// Of the guest's device, when it has one.
        var qdev: String?
        /// Of the node that the device uses.
        var nodeName: String
        /// Absolute when it is a file of this host.
        var file: String
        var format: String
        var readOnly: Bool
        /// Images below, top first.
        var backingFiles: [String]
    }

    struct NetworkDevice: Hashable, Sendable {
        /// The device's id, or for one without, its path in QEMU's tree.
        var name: String
        /// QEMU's type, e.g. `virtio-net-pci`.
        var model: String
        var mac: String
    }

    var runState: RunState
    /// Versioned, e.g. `pc-i440fx-7.2`.
    var machineType: String
    /// Major, minor, micro.
    var version: [Int]
    /// E.g. `x86_64`.
    var target: String
    var cpus: Int
    var memoryBytes: UInt64?
    var accelerator: MachineSpec.Accelerator
    var disks: [Disk]
    var networkDevices: [NetworkDevice]
    /// Why this machine cannot be saved, in QEMU's words; empty when it can be.
    var blockers: [String]
}

extension MachineSurvey {
    static func of(_ monitor: QMPConnection) async throws(HypervisorError) -> MachineSurvey {
        do throws(QMPError) {
            let version = monitor.greeting.version
            let cpus = try await monitor.queryCPUs()
            let memory = try? await monitor.execute(QMPCommand("query-memory-size-summary"))
            return MachineSurvey(
                runState: try await monitor.queryStatus().status,
                machineType: try await monitor.machineType(),
                version: [version.major, version.minor, version.micro],
                target: cpus.first?.target ?? "",
                cpus: cpus.count,
                memoryBytes: memory?["base-memory"]?.uint64Value,
                accelerator: try await monitor.queryKVM().isEnabled ? .kvm : .tcg,
                disks: try await monitor.queryBlock().compactMap { Disk($0) },
                networkDevices: await networkDevices(monitor),
                blockers: try await monitor.queryMigrate().blockedReasons
            )
        } catch {
            throw HypervisorError(error)
        }
    }

    /// Those that command lines add; what a board has soldered on has no place of its own in QEMU's tree.
    private static func networkDevices(_ monitor: QMPConnection) async -> [NetworkDevice] {
        var found: [NetworkDevice] = []
        for container in ["/machine/peripheral", "/machine/peripheral-anon"] {
            for child in (try? await monitor.qomList(container)) ?? [] {
                let path = "\(container)/\(child.name)"
                guard let model = child.childType,
                    let mac = (try? await monitor.qomGet(path, "mac"))?.stringValue
                else { continue }
                let name = container == "/machine/peripheral" ? child.name : path
                found.append(NetworkDevice(name: name, model: model, mac: mac))
            }
        }
        return found
    }
}

extension MachineSurvey.Disk {
    /// - Returns: nil for an empty drive.
    init?(_ device: BlockDevice) {
        guard let node = device.inserted else { return nil }
        self.init(
            device: device.device,
            qdev: device.qdev,
            nodeName: node.nodeName,
            file: Self.file(node.file),
            format: node.driver,
            readOnly: node.isReadOnly,
            backingFiles: Self.backing(node.image)
        )
    }

    /// QEMU names a node by `json:{…}` when a file name does not say everything about it.
    static func file(_ name: String) -> String {
        guard name.hasPrefix("json:"), var value = try? JSONValue(parsing: String(name.dropFirst(5))) else {
            return name
        }
        while true {
            if let file = value["filename"]?.stringValue { return file }
            guard let below = value["file"], below.objectValue != nil else { return name }
            value = below
        }
    }

    private static func backing(_ image: JSONValue) -> [String] {
        var files: [String] = []
        var next = image["backing-image"]
        while let layer = next, files.count < 200 {
            if let name = layer["filename"]?.stringValue { files.append(file(name)) }
            next = layer["backing-image"]
        }
        return files
    }
}
