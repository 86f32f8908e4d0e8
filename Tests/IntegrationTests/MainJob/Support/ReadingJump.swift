import Testing
import Time

/// What one clock did over a suspend and a resume, judged by how long the machine can have run in between: ``ClockJump`` for a
/// reading that is not the guest's own record.
struct ReadingJump {
    /// QEMU stops the clocks before it stamps STOP, and stamps RESUME before it lets them run.
    private static let stampSlack = Span.milliseconds(100)

    var before: GuestReading
    var after: GuestReading
    var stoppedAt: HostInstant
    var resumedAt: HostInstant

    /// - Parameters:
    ///   - offset: how much more than the machine ran the clock shall have gone on.
    ///   - resolution: the step that it shows, nanoseconds.
    ///   - slack: how old a reading may be that guest code has written.
    func expect(
        _ step: String,
        _ offset: Span,
        resolution: Int64 = 1_000_000_000,
        slack: Span = .zero,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let slack = slack + Self.stampSlack
        let window = TimeWindow(shown: before.ns, resolution: resolution).later(
            by: (stoppedAt - before.to) + (after.from - resumedAt) + offset - slack,
            to: (stoppedAt - before.from) + (after.to - resumedAt) + offset + slack
        )
        #expect(
            window.mayShow(after.ns, resolution: resolution),
            "\(step): it reads \(after.ns), it should be in \(window); before the suspend it read \(before.ns)",
            sourceLocation: sourceLocation
        )
    }
}
