import HypervisorAPI

/// What must be known of a machine's process to find it, talk to it and save it, also by a daemon that did not start it.
/// Kept as `machine.json` in the machine's folder.
struct MachineRecord: Codable, Hashable, Sendable {
    /// A disk as the process has it open.
    struct RunningDisk: Codable, Hashable, Sendable {
        /// ``DiskSpec/id``.
        var id: String
        /// Of the block node that the guest's device uses.
        var nodeName: String
        /// The layer that this process writes (or for a read-only disk reads), absolute.
        var path: String
        var format: String
        var readOnly: Bool
        /// Whether the file is a layer of our own, to be frozen into checkpoints and removed with the folder.
        var ownLayer: Bool
        /// Of the protocol node below ``nodeName``.
        var fileNodeName: String
    }

    /// One end of a link, as a descriptor of the process.
    struct LinkEnd: Codable, Hashable, Sendable {
        var link: String
        var kind: LinkSpec.Kind
        /// The machine at the other end.
        var peer: String
        /// The descriptor's number inside the QEMU process.
        var descriptor: Int32
        /// The peer is on another host; nil: it is not.
        var leavesHost: Bool?
    }

    /// A machine's RAM as a file.
    struct Memory: Codable, Hashable, Sendable {
        /// What QEMU calls it.
        var id: String
        /// Absolute.
        var path: String
        var bytes: UInt64
        /// Whether what the machine writes is written into the file; otherwise it is the machine's own and gone with it.
        var shared: Bool
    }

    var simulation: String
    var name: String
    var identity: ProcessIdentity
    /// `unix:/path` or `tcp:host:port`.
    var monitor: String
    /// The machine's own, absolute: logs, sockets, overlays.
    var folder: String
    var launch: LaunchRecord
    /// As the process was started with, the binary first.
    var arguments: [String]
    var disks: [RunningDisk]
    var links: [LinkEnd]
    var adopted: Bool
    /// Absolute paths, by port.
    var serialSockets: [String]
    /// How long the ports' logs were, which go on over all processes, when this one was started; by port. nil: it is not known.
    var serialBegins: [Int: UInt64]?
    /// What QEMU said; nil for an adopted machine.
    var log: String?
    /// Why an adopted machine cannot be started again; empty when it can be.
    var obstacles: [Reason] = []
    /// nil: QEMU's own memory.
    var memory: Memory?
}

extension MachineRecord {
    static func path(in folder: String) -> String { "\(folder)/machine.json" }

    func save() throws(HypervisorError) { try DurableFile.write(self, to: Self.path(in: folder)) }

    static func load(from folder: String) throws(HypervisorError) -> MachineRecord {
        try DurableFile.read(MachineRecord.self, from: path(in: folder))
    }
}
