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

/// A hypervisor that tells what its machines do by themselves. One that is none has no triggers that look at machines.
public protocol MachineWatcher: Sendable {
    /// Tells what machines do. What they say is told from the beginning of their processes, however late this is called; what befell them
    /// before, as far as they still stand there for it.
    ///
    /// Returns when the processes have ended, or the task was cancelled. Nobody is told anything after that.
    /// - Parameter tell: while it has not returned, nothing more is told of the same port, or of events of the same machine.
    func watch(
        _ machines: [String],
        of simulation: String,
        _ tell: @escaping @Sendable (MachineSign) async -> Void
    ) async
}
