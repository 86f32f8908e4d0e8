import HostClock
import Time

extension VolleyReport {
    /// Fired, and the kernel took every byte.
    var reachedEveryPeer: Bool { outcome == .fired && shots.allSatisfy { $0.failure == nil } }

    /// The lateness of the shot that was latest against its own due time; nil when nothing was written.
    var worstLateness: Span? { shots.compactMap(\.lateness).max() }
}
