import HypervisorAPI
import Synchronization
import Time

/// How long this host takes to arm: from the agreement on an instant until its machines' commands wait for it. The wait that is planned
/// for it comes from what it took before; a host that nevertheless needs more is late, and its report says so.
final class ArmingPace: Sendable {
    /// For a first time.
    let unknown: Span
    /// One stall is no reason to wait that long, or to refuse an instant that is nearer, for all that come after it.
    private let most: Span
    /// A quiet host's next turn may come that much later than its last.
    static let least = Span.milliseconds(10)
    private static let remembered = 8

    private let perMachine = Mutex<[Span]>([])

    init(unknown: Span, most: Span) {
        self.unknown = unknown
        self.most = most
    }

    /// Machines share the processors, so the time grows with their number.
    /// - Returns: twice the slowest of the latest eight.
    func planned(machines: Int) -> Span {
        guard let slowest = perMachine.withLock({ $0.max() }) else { return unknown }
        return min(max(Self.least, Span(nanoseconds: slowest.nanoseconds * Int64(2 * machines))), most)
    }

    func learn(_ took: Span, machines: Int) {
        guard machines > 0, took >= .zero else { return }
        perMachine.withLock { known in
            known.append(Span(nanoseconds: min(took, most).nanoseconds / Int64(machines)))
            known.removeFirst(max(0, known.count - Self.remembered))
        }
    }
}
