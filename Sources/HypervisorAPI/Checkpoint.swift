public import GuestClock
public import Time

/// How one machine's QEMU was started and what it is: enough to start it again as the same machine.
public struct LaunchRecord: Codable, Hashable, Sendable {
    public var spec: MachineSpec
    /// nil for a machine that fermata launched. For an adopted one, its command line as found, the binary first.
    public var adoptedArguments: [String]?
    /// Major, minor, micro.
    public var qemuVersion: [Int]
    /// The versioned name that the stream carries, e.g. `pc-i440fx-7.2`.
    public var pinnedMachineType: String
    public var clock: ClockSettings

    public init(
        spec: MachineSpec,
        adoptedArguments: [String]? = nil,
        qemuVersion: [Int],
        pinnedMachineType: String,
        clock: ClockSettings
    ) {
        self.spec = spec
        self.adoptedArguments = adoptedArguments
        self.qemuVersion = qemuVersion
        self.pinnedMachineType = pinnedMachineType
        self.clock = clock
    }
}

/// One file of a checkpoint.
public struct CheckpointFile: Codable, Hashable, Sendable {
    public enum Role: String, Codable, Hashable, Sendable { case state, ram, disk, link, log, launch }

    public var role: Role
    /// Relative to the checkpoint's folder; for an image left where it was (an adopted machine's), absolute.
    public var path: String
    public var bytes: UInt64
    /// Lower-case hex of the whole file, or of RAM as docs/checkpoint-format.md has it; nil of RAM and disks until the checkpoint is sealed.
    public var sha256: String?

    public init(role: Role, path: String, bytes: UInt64, sha256: String?) {
        self.role = role
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// A disk as it was at the suspend instant: a frozen layer that nothing writes any more.
public struct FrozenDisk: Codable, Hashable, Sendable {
    public var id: String
    public var format: String
    public var file: CheckpointFile
    /// The images below the layer, top first, absolute paths.
    public var backingFiles: [String]

    public init(id: String, format: String, file: CheckpointFile, backingFiles: [String]) {
        self.id = id
        self.format = format
        self.file = file
        self.backingFiles = backingFiles
    }
}

/// A file that QEMU is started with and reads by itself, a kernel or a firmware, in a checkpoint that came from another host.
public struct LaunchFile: Codable, Hashable, Sendable {
    /// Absolute path that it had where the checkpoint was made.
    public var original: String
    public var file: CheckpointFile

    public init(original: String, file: CheckpointFile) {
        self.original = original
        self.file = file
    }
}

/// One machine in a checkpoint.
public struct MachineCheckpoint: Codable, Hashable, Sendable {
    public var name: String
    /// Name of the host whose hypervisor saved it.
    public var host: String
    public var launch: LaunchRecord
    public var ramWay: RAMWay
    public var state: CheckpointFile
    /// Of ``RAMWay/file``: the RAM, as large as the machine's. Until the checkpoint is sealed its name is a link to where it lies.
    public var ram: CheckpointFile?
    /// Offset in the state file of the first device section; from there to the end is what clocks live in.
    public var deviceStateOffset: UInt64
    /// Of the bytes from ``deviceStateOffset`` to the end, verified before each load.
    public var deviceStateSHA256: String
    public var disks: [FrozenDisk]
    /// nil of a checkpoint that was made here.
    public var launchFiles: [LaunchFile]?
    /// QEMU's own STOP stamp.
    public var stoppedAt: HostInstant
    public var clock: ClockState

    enum CodingKeys: String, CodingKey {
        case name, host, launch, ramWay, state, ram, deviceStateOffset, deviceStateSHA256, disks, launchFiles
        case stoppedAt = "stoppedAtNs"
        case clock
    }

    public init(
        name: String,
        host: String,
        launch: LaunchRecord,
        ramWay: RAMWay,
        state: CheckpointFile,
        ram: CheckpointFile? = nil,
        deviceStateOffset: UInt64,
        deviceStateSHA256: String,
        disks: [FrozenDisk],
        launchFiles: [LaunchFile]? = nil,
        stoppedAt: HostInstant,
        clock: ClockState
    ) {
        self.name = name
        self.host = host
        self.launch = launch
        self.ramWay = ramWay
        self.state = state
        self.ram = ram
        self.deviceStateOffset = deviceStateOffset
        self.deviceStateSHA256 = deviceStateSHA256
        self.disks = disks
        self.launchFiles = launchFiles
        self.stoppedAt = stoppedAt
        self.clock = clock
    }
}

/// What was on its way in a link at the suspend instant, kept to be delivered after the resume.
public struct LinkCheckpoint: Codable, Hashable, Sendable {
    public var link: String
    /// The machine that had not yet read it.
    public var towards: String
    public var file: CheckpointFile
    /// Of each frame, in order; one entry for a byte stream.
    public var frameSizes: [Int]

    public init(link: String, towards: String, file: CheckpointFile, frameSizes: [Int]) {
        self.link = link
        self.towards = towards
        self.file = file
        self.frameSizes = frameSizes
    }
}

extension MachineCheckpoint {
    /// All that it has in the checkpoint.
    public var files: [CheckpointFile] {
        [state] + (ram.map { [$0] } ?? []) + disks.map(\.file) + (launchFiles ?? []).map(\.file)
    }
}

extension StoredCheckpoint {
    public var files: [CheckpointFile] { machines.flatMap(\.files) + links.map(\.file) }
}
