import CShims
import GuestClock
import HypervisorAPI
import Time

extension LaunchPlan {
    /// What a machine that starts from nothing is told: the spec's base, or the host's time.
    ///
    /// Always something fixed with `clock=vm`: a process that goes on with the machine later must be told the same.
    static func rtcBase(for spec: RTCSpec) -> RTCBase {
        if spec.base == nil, spec.clock == .host { return .utc }
        let base = spec.base ?? HostInstant(nanosecondsSinceEpoch: fermata_realtime_ns())
        // `-rtc base=` has no fractions; cut here, so that the record says what QEMU was told.
        return .instant(base - Span(nanoseconds: base.nanosecondsSinceEpoch.modulo(1_000_000_000)))
    }
}
