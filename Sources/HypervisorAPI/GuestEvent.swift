/// What befalls a machine without anybody having asked for it.
public enum GuestEvent: String, Codable, Hashable, Sendable, CaseIterable {
    /// Its kernel has panicked, and a device told so (`pvpanic`, or that of its board).
    case panic
    /// A watchdog device was not fed in time.
    case watchdog
    /// The guest has switched the machine off.
    case shutdown
    /// The guest has reset the machine.
    case reset
}
