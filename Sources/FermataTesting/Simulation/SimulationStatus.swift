/// What a simulation is doing, at one moment.
public struct SimulationStatus: Decodable, Hashable, Sendable {
    /// One of its machines, one QEMU.
    public struct Machine: Decodable, Hashable, Sendable {
        public let name: String
        /// On which it is, by the name that the control instance has for it.
        public let host: String
        /// `running`, `paused`, `loading`, `saving`, `dead` or `unreachable`.
        public let state: String
        /// Of its QEMU; nil: there is none now.
        public let processID: Int32?
        /// Paths of sockets of its host, by which one talks to its serial ports.
        public let serialSockets: [String]
        /// A file of its host, with all that came out of its first serial port; nil: it has none.
        public let log: String?
    }

    public let simulation: String
    /// `starting`, `running`, `suspending`, `checkpointing`, `suspended`, `resuming`, `down` or `unknown`.
    public let state: String
    /// The checkpoint that it was last suspended to or resumed from.
    public let checkpoint: String?
    /// Those that have a QEMU.
    public let machines: [Machine]
}
