/// How often a host is asked that has nothing to tell. One that waits until there is something is asked again at once; one that answers
/// with nothing, or not at all, is given a pause, and a longer one each time, up to a limit.
struct AskingPace: Sendable {
    static let pause: Duration = .milliseconds(500)

    let sleep: @Sendable (Duration) async -> Void
    /// Of a clock that nobody sets.
    private let now: @Sendable () -> ContinuousClock.Instant
    private let longest: Duration
    private var next = Self.pause
    private var asked: ContinuousClock.Instant?
    private var mustPause = false

    init(
        longest: Duration = Self.pause,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        sleep: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) {
        self.longest = longest
        self.now = now
        self.sleep = sleep
    }

    /// - Returns: what is to be slept before the next question; nil: nothing.
    mutating func pause() -> Duration? {
        guard mustPause else { return nil }
        mustPause = false
        defer { next = min(next + next, longest) }
        return next
    }

    mutating func asks() { asked = now() }

    /// - Parameter isEmpty: nothing was told.
    mutating func answered(isEmpty: Bool) {
        mustPause = isEmpty && asked.map { now() - $0 < Self.pause } ?? false
        if !mustPause { next = Self.pause }
    }

    mutating func failed() { mustPause = true }
}
