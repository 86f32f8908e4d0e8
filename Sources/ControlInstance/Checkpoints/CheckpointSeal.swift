public import HypervisorAPI
public import Time

/// `seal.json`: the digests of what was not read while machines waited. Its being there says that all of the checkpoint is in its
/// folder, durably. See docs/checkpoint-format.md.
public struct CheckpointSeal: Codable, Hashable, Sendable {
    public static let currentFormat = 1

    /// Version of the form of this file.
    public var format: Int
    /// Of the manifest that it belongs to.
    public var id: String
    public var sealed: HostInstant
    /// Every file that has no digest in the manifest.
    public var files: [CheckpointFile]

    enum CodingKeys: String, CodingKey {
        case format, id
        case sealed = "sealedNs"
        case files
    }

    public init(format: Int = Self.currentFormat, id: String, sealed: HostInstant, files: [CheckpointFile]) {
        self.format = format
        self.id = id
        self.sealed = sealed
        self.files = files
    }
}

extension CheckpointManifest {
    /// With the digests that the seal tells.
    func sealed(by seal: CheckpointSeal) -> CheckpointManifest {
        var digests: [String: String] = [:]
        for file in seal.files { digests[file.path] = file.sha256 }
        func digested(_ file: CheckpointFile) -> CheckpointFile {
            var file = file
            file.sha256 = file.sha256 ?? digests[file.path]
            return file
        }
        var sealed = self
        sealed.machines = machines.map { machine in
            var machine = machine
            machine.ram = machine.ram.map(digested)
            machine.disks = machine.disks.map { disk in
                var disk = disk
                disk.file = digested(disk.file)
                return disk
            }
            return machine
        }
        return sealed
    }
}
