import HostClock
import HypervisorAPI
import Time

/// Measures a host's clock against ours, as often as something hangs on it.
struct HostTimeKeeper: Sendable {
    /// The quickest of so many says the most; more cost a millisecond each and give little.
    private static let exchanges = 8
    /// As good as need be, when others wait for it already.
    private static let fewestExchanges = 3
    private static let patience = Span.seconds(5)

    let connection: HypervisorConnection
    /// A host whose time is known worse than this does not take part, where nobody says otherwise.
    private static let usualLimit = Span.milliseconds(5)
    /// What is allowed for every simulation, if anybody said so.
    let limit: Span?
    let clock: any RealtimeClock

    /// - Parameters:
    ///   - instant: what hangs on it; nil: soon.
    ///   - wanted: the simulation's own limit. It is kept in checkpoints, so what is allowed for all counts where that is more.
    ///   - isAwaited: whether only this is waited for; then what is well within the limit is good enough.
    /// - Throws: `host-unreachable`, or `clocks-not-synchronised` when the bound is above the limit.
    func measure(
        for instant: HostInstant?,
        limit wanted: Span? = nil,
        isAwaited: @Sendable () -> Bool = { false }
    ) async throws(HypervisorError) -> HostTime {
        let limit = [wanted, limit].compactMap(\.self).max() ?? Self.usualLimit
        let isEnough = { @Sendable (exchanges: [ClockExchange]) in
            guard exchanges.count >= Self.fewestExchanges, isAwaited() else { return false }
            return ClockOffset(exchanges).map { $0.bound + $0.bound <= limit } ?? false
        }
        guard let time = try await measured(for: instant, until: isEnough) else {
            throw HypervisorError(
                code: "clocks-not-synchronised",
                message:
                    "the clock of host \(connection.host), or ours, is being set: its offset changes while it is measured"
            )
        }
        guard time.bound <= limit else {
            throw HypervisorError(
                code: "clocks-not-synchronised",
                message:
                    "the clock of host \(connection.host) is known to \(time.bound) only, and \(limit) is asked for: "
                    + "discipline the clocks of both hosts (chrony), or allow more with `clock-error` in the manifest or FERMATA_CLOCK_ERROR"
            )
        }
        return time
    }

    /// As good as can be had at once; as if it were ours when nothing can.
    func estimate() async -> HostTime {
        let measured = (try? await measured(for: nil)) ?? nil
        return measured ?? HostTime(offset: .zero, bound: .zero, roundTrip: .zero)
    }

    /// - Returns: nil when a clock is set again and again meanwhile.
    private func measured(
        for instant: HostInstant?,
        until isEnough: @Sendable ([ClockExchange]) -> Bool = { _ in false }
    ) async throws(HypervisorError) -> HostTime? {
        for _ in 0..<3 {
            let (exchanges, theirs) = try await exchange(until: isEnough)
            guard let offset = ClockOffset(exchanges) else { continue }
            var time = Self.time(offset, ours: clockSynchronisation(), theirs: theirs)
            time.roundTrip = exchanges.map { $0.received - $0.sent }.min() ?? .zero
            if let instant, time.offset != .zero {
                time.bound = time.bound + ClockOffset.wandered(max(.zero, instant - clock.now()))
            }
            return time
        }
        return nil
    }

    private func exchange(
        until isEnough: @Sendable ([ClockExchange]) -> Bool
    ) async throws(HypervisorError) -> ([ClockExchange], ClockSynchronisation) {
        var exchanges: [ClockExchange] = []
        var theirs = ClockSynchronisation(synchronised: false, maximumError: .zero, estimatedError: .zero)
        while exchanges.count < Self.exchanges, !isEnough(exchanges) {
            let sent = clock.now()
            let reading = try await connection.call(.time, Nothing(), patience: Self.patience)
            exchanges.append(
                ClockExchange(sent: sent, arrived: reading.arrived, answered: reading.answered, received: clock.now())
            )
            theirs = reading.synchronisation
        }
        return (exchanges, theirs)
    }

    /// Two disciplined clocks are each within their bound of true time. What is measured counts where that says less.
    static func time(_ measured: ClockOffset, ours: ClockSynchronisation, theirs: ClockSynchronisation) -> HostTime {
        if let a = ours.errorBound, let b = theirs.errorBound, a + b <= measured.bound {
            // Their discipline may be wrong; then what was measured tells so.
            let apart = Span(nanoseconds: Int64(clamping: measured.offset.nanoseconds.magnitude))
            if apart <= measured.bound + a + b { return HostTime(offset: .zero, bound: a + b, roundTrip: .zero) }
        }
        return HostTime(offset: measured.offset, bound: measured.bound, roundTrip: .zero)
    }
}
