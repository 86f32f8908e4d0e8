import CShims
import Time

/// The waiting side of a clock: one per armed volley, used by one thread.
protocol Alarm: AnyObject, Sendable {
    /// How long before the first shot the thread commits itself to firing: what is left to do then, up to the send
    /// itself, waits in one loop, and costs nothing behind the instant.
    var approach: Span { get }
    func now() -> HostInstant
    /// Sleeps until the time that the alarm was made for. `event` is an eventfd that ends the sleep, and is cleared.
    func sleep(orUntilRaised event: Int32) -> AlarmEnd
    /// Waits actively, to the exact nanosecond. False when the clock was set back meanwhile.
    func hold(until instant: HostInstant) -> Bool
    /// Whether the clock was set since the alarm was made or since this was last asked.
    func clockWasSet() -> Bool
    /// Sends each shot when it is due; they are in order.
    func fire(_ shots: UnsafeMutableBufferPointer<fermata_shot>)
}

/// How a sleep ended.
enum AlarmEnd {
    case due
    case raised
    case clockWasSet
}

/// A clock that one can be woken by.
protocol AlarmClock: RealtimeClock {
    func makeAlarm(at instant: HostInstant) throws(DeadlineError) -> any Alarm
}
