/// The map of a machine's state as QEMU writes it: what lies where, without the RAM's contents.
///
/// Nothing in the stream is believed: every length is checked against the bytes that follow it, work and memory are
/// bounded (see ``Limits``), and whatever does not add up is a ``StreamError``.
public struct CheckpointStream: Hashable, Sendable {
    public enum Format: String, Codable, Hashable, Sendable {
        /// RAM pages in the order they were sent, then the devices.
        case classic
        /// RAM at fixed places of the file, then the devices.
        case mappedRAM = "mapped-ram"
        /// Devices alone, as `xen-save-devices-state` writes them.
        case deviceDump = "device-dump"
    }

    /// How the sections were found.
    public enum Method: String, Codable, Hashable, Sendable {
        /// By the description at the end of the stream, each section verified; ``Section/fields`` are known.
        case vmdescription
        /// By a walk from the beginning, or by layouts of the caller. Fields are known where a layout fits.
        case sequential
    }

    /// A piece of guest memory.
    public struct RAMBlock: Hashable, Codable, Sendable {
        public let name: String
        /// Bytes.
        public let length: UInt64

        public init(name: String, length: UInt64) {
            self.name = name
            self.length = length
        }
    }

    public let format: Format
    public let method: Method
    /// The versioned name, `pc-i440fx-10.0`; nil where the beginning of the stream is not at hand or does not tell.
    public let machineType: String?
    /// Of the capabilities that change the stream's form: those that the loading QEMU must have too.
    public let capabilities: [String]
    /// nil means the smallest page of the processor.
    public let targetPageBits: UInt32?
    /// 16 bytes, if the machine has one and validates it.
    public let uuid: [UInt8]?
    /// Bytes from the beginning to the first section.
    public let headerSize: UInt64
    /// Offset of the first byte behind all RAM. From here to ``size`` is the tail, which a restore can hold back and patch.
    public let deviceStateOffset: UInt64
    public let size: UInt64
    /// The devices in the order of the stream. RAM is not among them.
    public let sections: [Section]
    /// Empty when telling them takes more than a look at the first section.
    public let ramBlocks: [RAMBlock]

    /// Sections of one kind of device, by the name of its state description.
    public func sections(vmsd name: String) -> [Section] { sections.filter { $0.vmsdName == name } }

    /// What is needed to read another stream or a device dump of the same machine.
    public var layouts: [SectionLayout] { sections.compactMap(\.layout) }
}
