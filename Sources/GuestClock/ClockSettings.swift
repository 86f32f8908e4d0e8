public import Time

/// What `-rtc clock=` names: the clock that RTC devices follow.
public enum RTCClockSource: String, Codable, Hashable, Sendable, CaseIterable {
    /// The host's CLOCK_REALTIME, QEMU's default. It goes on while a machine is paused.
    case host
    /// QEMU's virtual clock. It stands still while a machine is paused.
    case vm
    /// The host's monotonic clock, which means nothing to another process.
    case rt
}

/// What `-rtc base=` names: the time that RTC devices begin with. Encodes as `"utc"`, `"localtime"` or
/// `{"atNs": N}`.
public enum RTCBase: Hashable, Sendable {
    case utc
    case localtime
    case instant(HostInstant)
}

/// How one QEMU process keeps its guest's time: all that its device state alone does not tell.
public struct ClockSettings: Codable, Hashable, Sendable {
    public enum Accelerator: String, Codable, Hashable, Sendable, CaseIterable { case tcg, kvm }

    public var clock: RTCClockSource
    public var base: RTCBase
    public var accelerator: Accelerator
    /// When the process read its `-rtc` option. Only clocks that follow `base` depend on it, and only with `clock=host`
    /// or a base that is not a fixed instant.
    public var processStart: HostInstant
    public var qemu: QEMURelease
    /// Ticks per second of the host counter that a TCG guest's x86 TSC counts; nil when not known.
    public var hostTSCHz: Int64?
    /// Of `-icount shift=`; nil without `-icount` and with `shift=auto`.
    public var icountShift: Int?
    /// The host's local time minus UTC, for `base=localtime`.
    public var localUTCOffset: Span

    enum CodingKeys: String, CodingKey {
        case clock, base, accelerator
        case processStart = "processStartNs"
        case qemu, hostTSCHz, icountShift
        case localUTCOffset = "localUTCOffsetNs"
    }

    public init(
        clock: RTCClockSource,
        base: RTCBase,
        accelerator: Accelerator,
        processStart: HostInstant,
        qemu: QEMURelease,
        hostTSCHz: Int64? = nil,
        icountShift: Int? = nil,
        localUTCOffset: Span = .zero
    ) {
        self.clock = clock
        self.base = base
        self.accelerator = accelerator
        self.processStart = processStart
        self.qemu = qemu
        self.hostTSCHz = hostTSCHz
        self.icountShift = icountShift
        self.localUTCOffset = localUTCOffset
    }
}
