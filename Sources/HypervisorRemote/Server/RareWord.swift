/// When something that strangers can make happen as often as they like is worth another line in the log. Told the time; knows no clock.
package struct RareWord: Sendable {
    package static let pause: Duration = .seconds(10)

    private var last: ContinuousClock.Instant?
    private var unsaid = 0

    package init() {}

    /// It happened.
    /// - Returns: how often it did since it was said last; nil: it is not to be said now.
    package mutating func happens(at now: ContinuousClock.Instant) -> Int? {
        unsaid += 1
        if let last, now - last < Self.pause { return nil }
        defer { unsaid = 0 }
        last = now
        return unsaid
    }
}
