import ControlInstance
import Testing
import Time

/// What a guest's clocks did over a suspend and a resume, judged by how long the guest can have run in between.
struct ClockJump {
    /// Calibration of the guest's clocksource against an emulated timer, and readings within a record made one after the other.
    private static let slack = Span.milliseconds(300)
    /// The RTC tells whole seconds, at both ends.
    private static let rtcStep = Span.seconds(1)

    var before: ClockSample
    var after: ClockSample
    var stoppedAt: HostInstant
    var resumedAt: HostInstant

    /// The machine ran at least so long between the two readings, and at most so long.
    private var running: (least: Span, most: Span) {
        (
            (stoppedAt - before.answeredAt) + (after.askedAt - resumedAt),
            (stoppedAt - before.askedAt) + (after.answeredAt - resumedAt)
        )
    }

    private var uptime: Span { Span(nanoseconds: after.record.uptimeNs - before.record.uptimeNs) }
    private var wall: Span { Span(nanoseconds: after.record.wallNs - before.record.wallNs) }
    private var rtc: Span { Span(nanoseconds: after.record.rtcNs - before.record.rtcNs) }

    /// - Parameters:
    ///   - rtc: how much more than the guest ran the RTC shall have gone on.
    ///   - clocksource: how much more wall clock and uptime shall have.
    func expect(
        _ step: String,
        rtc offset: Span,
        clocksource: Span = .zero,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect("\(step): uptime", uptime - clocksource, Self.slack, sourceLocation)
        expect("\(step): wall clock", wall - clocksource, Self.slack, sourceLocation)
        expect("\(step): RTC", rtc - offset, Self.slack + Self.rtcStep, sourceLocation)
    }

    /// The RTC tells a given time at the resume instant.
    func expect(_ step: String, rtcAtResume time: HostInstant, sourceLocation: SourceLocation = #_sourceLocation) {
        let read = HostInstant(nanosecondsSinceEpoch: after.record.rtcNs)
        let earliest = time + (after.askedAt - resumedAt) - Self.rtcStep - Self.slack
        let latest = time + (after.answeredAt - resumedAt) + Self.slack
        #expect(read >= earliest && read <= latest, "\(step): RTC reads \(read)", sourceLocation: sourceLocation)
    }

    private func expect(_ what: String, _ passed: Span, _ slack: Span, _ location: SourceLocation) {
        let (least, most) = running
        #expect(
            passed >= least - slack && passed <= most + slack,
            "\(what) went on by \(passed) beside what was asked for; the guest ran between \(least) and \(most)",
            sourceLocation: location
        )
    }
}
