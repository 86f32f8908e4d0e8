import CShims
public import Time

/// How far the host's clock may be from true time, by the kernel's clock discipline.
public struct ClockSynchronisation: Hashable, Sendable, Codable {
    /// Whether anything (chrony, ntpd, systemd-timesyncd, PTP) disciplines the clock.
    public var synchronised: Bool
    /// The bound that the discipline vouches for; without synchronisation the kernel says 16 s, which vouches for
    /// nothing.
    public var maximumError: Span
    public var estimatedError: Span

    public init(synchronised: Bool, maximumError: Span, estimatedError: Span) {
        self.synchronised = synchronised
        self.maximumError = maximumError
        self.estimatedError = estimatedError
    }

    /// `clockErrorBoundNs` of reports; nil when nobody vouches for the clock.
    public var errorBound: Span? { synchronised ? maximumError : nil }
}

/// Reads the kernel's clock discipline; changes nothing, needs no privilege.
///
/// Where the call is forbidden (some sandboxes), the clock counts as not synchronised.
public func clockSynchronisation() -> ClockSynchronisation {
    var discipline = fermata_clock_discipline()
    guard fermata_clock_discipline(&discipline) == 0 else {
        return ClockSynchronisation(synchronised: false, maximumError: .seconds(16), estimatedError: .seconds(16))
    }
    return ClockSynchronisation(
        synchronised: discipline.synchronised != 0,
        maximumError: span(microseconds: discipline.maximum_error_us),
        estimatedError: span(microseconds: discipline.estimated_error_us)
    )
}

/// The kernel's numbers are not ours to trust with trapping arithmetic.
private func span(microseconds: Int64) -> Span {
    let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1_000)
    return Span(nanoseconds: overflow ? .max : product)
}
