public import Time

/// What a guest's clock shall read when the machine goes on.
///
/// Written, in manifests, requests and on the command line, as `continue`, `host`, `+90s`, `-5m` or `at=<ISO 8601>`;
/// encodes as that text.
public enum ClockPolicy: Hashable, Sendable {
    /// What it read when the machine stopped: the guest notices no gap.
    case `continue`
    /// What it read when the machine stopped, and that much more (or less).
    case offset(Span)
    /// The host's time at the resume instant.
    case host
    /// That time, at the resume instant.
    case at(HostInstant)
}

/// Which clocks a policy moves.
public enum ClockScope: String, Codable, Hashable, Sendable, CaseIterable {
    /// The real-time clock devices. A guest that has read its RTC at boot goes by its clocksource and sees no change.
    case rtc
    /// Also the clocksource: virtual clock, kvmclock, counters, and with them uptime and everything that waits.
    /// It can only move forward.
    case all
}
