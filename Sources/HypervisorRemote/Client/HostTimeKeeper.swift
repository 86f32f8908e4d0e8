import HostClock
import HypervisorAPI
import Time

/// Measures a host's clock against ours, as often as something hangs on it.
struct HostTimeKeeper: Sendable {
    /// The quickest of so many says the most; more cost a millisecond each and give little.
    private static let exchanges = 8
    private static let patience = Span.seconds(5)

    let connection: HypervisorConnection
    /// A host whose time is known worse than this does not take part.
    let limit: Span
    let clock: any RealtimeClock

    /// - Throws: `host-unreachable`, or `clocks-not-synchronised` when the bound is above the limit.
    func measure() async throws(HypervisorError) -> HostTime {
        // A clock that is set in between gives nothing; once more does.
        for _ in 0..<3 {
            let (measured, theirs) = try await exchange()
            guard let measured else { continue }
            let time = Self.time(measured, ours: clockSynchronisation(), theirs: theirs)
            guard time.bound <= limit else {
                throw HypervisorError(
                    code: "clocks-not-synchronised",
                    message:
                        "the clock of host \(connection.host) is known to \(time.bound) only, and \(limit) is asked for: "
                        + "discipline the clocks of both hosts (chrony), or allow more with --clock-error"
                )
            }
            return time
        }
        throw HypervisorError(
            code: "clocks-not-synchronised",
            message:
                "the clock of host \(connection.host), or ours, is being set: its offset changes while it is measured"
        )
    }

    private func exchange() async throws(HypervisorError) -> (ClockOffset?, ClockSynchronisation) {
        var exchanges: [ClockExchange] = []
        var theirs = ClockSynchronisation(synchronised: false, maximumError: .zero, estimatedError: .zero)
        for _ in 0..<Self.exchanges {
            let sent = clock.now()
            let reading = try await connection.call(.time, Nothing(), patience: Self.patience)
            exchanges.append(
                ClockExchange(sent: sent, arrived: reading.arrived, answered: reading.answered, received: clock.now())
            )
            theirs = reading.synchronisation
        }
        return (ClockOffset(exchanges), theirs)
    }

    /// Two disciplined clocks are each within their bound of true time. What is measured counts where that says less.
    static func time(_ measured: ClockOffset, ours: ClockSynchronisation, theirs: ClockSynchronisation) -> HostTime {
        if let a = ours.errorBound, let b = theirs.errorBound, a + b <= measured.bound {
            // Their discipline may be wrong; then what was measured tells so.
            let apart = Span(nanoseconds: Int64(clamping: measured.offset.nanoseconds.magnitude))
            if apart <= measured.bound + a + b { return HostTime(offset: .zero, bound: a + b) }
        }
        return HostTime(offset: measured.offset, bound: measured.bound)
    }
}
