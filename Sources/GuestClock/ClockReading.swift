public import Time

/// What one clock of a machine reads.
public struct ClockReading: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable {
        /// A real-time clock device.
        case rtc
        /// A clock that the hypervisor keeps for its guest: kvmclock.
        case paravirtual
        /// QEMU's own virtual clock.
        case virtual
        /// A processor's counter.
        case counter
        /// The time-of-day clock of s390x.
        case tod
    }

    public enum Epoch: String, Codable, Hashable, Sendable {
        /// Nanoseconds since 1970-01-01T00:00:00 as the guest's clock counts it (UTC, unless the guest keeps local time).
        case unix
        /// Nanoseconds since an instant near the machine's start.
        case boot
    }

    /// An alarm that the guest has set and that has not gone off.
    public struct Alarm: Codable, Hashable, Sendable {
        /// When it goes off, on this clock.
        public var firesAtNs: Int64

        public init(firesAtNs: Int64) { self.firesAtNs = firesAtNs }
    }

    /// Name of the device's state description, e.g. `mc146818rtc`.
    public var device: String
    /// Name of its section in the stream, e.g. `0000:00:07.0/…/mc146818rtc`; empty for a device without one.
    public var section: String
    public var instance: UInt32
    public var kind: Kind
    /// nil when it cannot be told; ``reason`` then says why.
    public var readsNs: Int64?
    public var epoch: Epoch
    /// The smallest step in which the guest can see the clock move.
    public var resolutionNs: Int64
    /// Whether a policy can set it.
    public var controllable: Bool
    /// Why it cannot be set, or not be read. A sentence.
    public var reason: String?
    public var alarms: [Alarm]

    public init(
        device: String,
        section: String,
        instance: UInt32,
        kind: Kind,
        readsNs: Int64?,
        epoch: Epoch,
        resolutionNs: Int64,
        controllable: Bool,
        reason: String? = nil,
        alarms: [Alarm] = []
    ) {
        self.device = device
        self.section = section
        self.instance = instance
        self.kind = kind
        self.readsNs = readsNs
        self.epoch = epoch
        self.resolutionNs = resolutionNs
        self.controllable = controllable
        self.reason = reason
        self.alarms = alarms
    }

    /// An unknown reading is an explicit null: a key that is missing could be an older program's.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(device, forKey: .device)
        try container.encode(section, forKey: .section)
        try container.encode(instance, forKey: .instance)
        try container.encode(kind, forKey: .kind)
        try container.encode(readsNs, forKey: .readsNs)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(resolutionNs, forKey: .resolutionNs)
        try container.encode(controllable, forKey: .controllable)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encode(alarms, forKey: .alarms)
    }
}

/// What every clock of a machine read at one instant.
public struct ClockState: Codable, Hashable, Sendable {
    /// The host's time at which the clocks read that.
    public var atNs: HostInstant
    /// The first real-time clock that can be read.
    public var rtcNs: Int64?
    public var kvmclockNs: Int64?
    /// QEMU's virtual clock; nil only when the machine counts instructions in a way that the stream does not tell.
    public var virtualNs: Int64?
    public var readings: [ClockReading]

    public init(atNs: HostInstant, readings: [ClockReading]) {
        self.atNs = atNs
        self.readings = readings
        rtcNs = readings.first { ($0.kind == .rtc || $0.kind == .tod) && $0.readsNs != nil }?.readsNs
        kvmclockNs = readings.first { $0.kind == .paravirtual }?.readsNs
        virtualNs = readings.first { $0.kind == .virtual }?.readsNs
    }
}
