public import GuestClock
public import Time

/// A simulation as its manifest describes it, resolved: paths absolute, variables expanded, defaults filled in.
public struct SimulationSpec: Codable, Hashable, Sendable {
    public var name: String
    /// The clock policy of a resume that names none.
    public var clock: ClockPolicy
    public var machines: [MachineSpec]
    public var links: [LinkSpec]
    public var resources: [ResourceSpec]
    /// What its checkpoints may take of the disk; nil: as much as there is.
    public var quotaBytes: UInt64?
    /// How badly the clocks of its hosts may be known against each other; nil: as the control instance allows for all.
    public var clockErrorLimit: Span?
    /// What its control instance runs before and after operations; nil: nothing.
    public var hooks: [HookSpec]?
    /// What its control instance does by itself, in their order; nil: nothing.
    public var triggers: [TriggerSpec]?

    public init(
        name: String,
        clock: ClockPolicy = .continue,
        machines: [MachineSpec],
        links: [LinkSpec] = [],
        resources: [ResourceSpec] = [],
        quotaBytes: UInt64? = nil,
        clockErrorLimit: Span? = nil,
        hooks: [HookSpec]? = nil,
        triggers: [TriggerSpec]? = nil
    ) {
        self.name = name
        self.clock = clock
        self.machines = machines
        self.links = links
        self.resources = resources
        self.quotaBytes = quotaBytes
        self.clockErrorLimit = clockErrorLimit
        self.hooks = hooks
        self.triggers = triggers
    }
}

/// One machine of a simulation, as wanted; what QEMU is really started with is its ``LaunchRecord``.
public struct MachineSpec: Codable, Hashable, Sendable {
    public enum Accelerator: String, Codable, Hashable, Sendable, CaseIterable { case tcg, kvm }

    public var name: String
    /// Absolute path of the QEMU binary.
    public var qemu: String
    /// As in `-machine`, without options; a name without a version is pinned to QEMU's current one at launch.
    public var machineType: String
    /// Further options of `-machine`, e.g. `["rtc": "on"]`.
    public var machineOptions: [String: String]
    public var memoryBytes: UInt64?
    public var cpus: Int
    public var cpuModel: String?
    public var accelerator: Accelerator
    public var firmware: String?
    public var kernel: String?
    public var initrd: String?
    public var append: String?
    public var disks: [DiskSpec]
    public var serials: [SerialSpec]
    public var rtc: RTCSpec
    /// Raw QEMU arguments, added last.
    public var arguments: [String]
    /// nil: the best way that the QEMU can.
    public var ramWay: RAMWay?
    /// Name of the host to run on; nil: the control instance's own.
    public var host: String?
    /// It stays as it is, to be saved, when that befalls it, `panic` or `watchdog`; nil: QEMU does what it does by itself.
    public var stays: [GuestEvent]?

    public init(
        name: String,
        qemu: String,
        machineType: String,
        machineOptions: [String: String] = [:],
        memoryBytes: UInt64? = nil,
        cpus: Int = 1,
        cpuModel: String? = nil,
        accelerator: Accelerator = .tcg,
        firmware: String? = nil,
        kernel: String? = nil,
        initrd: String? = nil,
        append: String? = nil,
        disks: [DiskSpec] = [],
        serials: [SerialSpec] = [.log],
        rtc: RTCSpec = RTCSpec(),
        arguments: [String] = [],
        ramWay: RAMWay? = nil,
        host: String? = nil,
        stays: [GuestEvent]? = nil
    ) {
        self.name = name
        self.qemu = qemu
        self.machineType = machineType
        self.machineOptions = machineOptions
        self.memoryBytes = memoryBytes
        self.cpus = cpus
        self.cpuModel = cpuModel
        self.accelerator = accelerator
        self.firmware = firmware
        self.kernel = kernel
        self.initrd = initrd
        self.append = append
        self.disks = disks
        self.serials = serials
        self.rtc = rtc
        self.arguments = arguments
        self.ramWay = ramWay
        self.host = host
        self.stays = stays
    }
}

/// A disk image. A writable one is never written: the machine gets an overlay of its own on top of it.
public struct DiskSpec: Codable, Hashable, Sendable {
    public enum Interface: String, Codable, Hashable, Sendable, CaseIterable {
        case virtio, ide, scsi, sd, floppy, cdrom
        /// Only the block node: the device is named by the machine's raw arguments (`drive=<id>`).
        case none
    }

    public var id: String
    /// Absolute path.
    public var file: String
    /// `qcow2`, `raw`…; nil: asked of `qemu-img info`.
    public var format: String?
    public var interface: Interface
    public var readOnly: Bool

    public init(id: String, file: String, format: String? = nil, interface: Interface = .virtio, readOnly: Bool = false)
    {
        self.id = id
        self.file = file
        self.format = format
        self.interface = interface
        self.readOnly = readOnly
    }
}

/// What one serial port of a machine is connected to; the position in the list is the port's number.
public enum SerialSpec: Codable, Hashable, Sendable {
    /// A log file and a UNIX socket to talk to, both in the machine's run folder.
    case log
    case none
    /// The link of that name, of kind `serial`.
    case link(String)
}

/// What `-rtc` is told. The guest's RTC follows the virtual clock unless said otherwise, so it stands still in a pause.
public struct RTCSpec: Codable, Hashable, Sendable {
    /// nil: the host's time at launch.
    public var base: HostInstant?
    public var clock: RTCClockSource

    enum CodingKeys: String, CodingKey {
        case base = "baseNs"
        case clock
    }

    public init(base: HostInstant? = nil, clock: RTCClockSource = .vm) {
        self.base = base
        self.clock = clock
    }
}

/// A cable between two machines.
public struct LinkSpec: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable { case dgram, stream, serial }

    public struct End: Codable, Hashable, Sendable {
        public var machine: String
        /// QEMU's NIC model (`virtio-net-pci`, `e1000`…); nil: the usual one of the machine type. Unused for `serial`.
        public var device: String?
        /// nil: made from the simulation's, link's and machine's names, so that it is the same at each launch.
        public var mac: String?
        /// Where this end receives when the other machine is on another host: the UDP address of its host and a port,
        /// `10.0.0.5:24010` or `[fd00::5]:24010`. The control instance chooses it at each launch; nil: both are on one host.
        public var address: String?

        public init(machine: String, device: String? = nil, mac: String? = nil, address: String? = nil) {
            self.machine = machine
            self.device = device
            self.mac = mac
            self.address = address
        }
    }

    public var name: String
    public var kind: Kind
    /// Exactly two.
    public var ends: [End]

    public init(name: String, kind: Kind, ends: [End]) {
        self.name = name
        self.kind = kind
        self.ends = ends
    }
}

/// Something outside QEMU that the simulation holds while it runs: commands, each an argument vector.
public struct ResourceSpec: Codable, Hashable, Sendable {
    public var name: String
    public var acquire: [String]
    public var release: [String]
    public var check: [String]?
    /// Of each command; a command that exceeds it is ended and counts as failed.
    public var timeout: Span

    enum CodingKeys: String, CodingKey {
        case name, acquire, release, check
        case timeout = "timeoutNs"
    }

    public init(
        name: String,
        acquire: [String],
        release: [String],
        check: [String]? = nil,
        timeout: Span = .seconds(10)
    ) {
        self.name = name
        self.acquire = acquire
        self.release = release
        self.check = check
        self.timeout = timeout
    }
}

/// How a machine's RAM gets into a checkpoint.
public enum RAMWay: String, Codable, Hashable, Sendable, CaseIterable {
    /// It is a file already, which QEMU shares: nothing is copied while machines stand still.
    case file
    /// The classic stream through a descriptor; every QEMU from 7.2.
    case stream
    /// A mapped-ram file; QEMU 9.0 and later.
    case mapped
}
