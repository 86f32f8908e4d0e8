import HostClock
import HypervisorAPI
import Time

/// What a host's clock read when a question about it came, and when the answer left.
struct ClockReading: Codable, Hashable, Sendable {
    var arrived: HostInstant
    var answered: HostInstant
    var synchronisation: ClockSynchronisation
}

extension RemoteMethod where Body == Nothing, Answer == ClockReading {
    static var time: Self { RemoteMethod("time") }
}
