public import Time

/// Something that a machine did by itself.
public struct MachineSign: Hashable, Sendable {
    public enum What: Hashable, Sendable {
        /// Bytes that came out of a serial port, behind those of the sign before.
        case said([UInt8], port: Int)
        case befell(GuestEvent)
    }

    public var machine: String
    /// QEMU's own stamp of an event; of what was said, when it was read.
    public var at: HostInstant
    public var what: What

    public init(machine: String, at: HostInstant, what: What) {
        self.machine = machine
        self.at = at
        self.what = what
    }
}
