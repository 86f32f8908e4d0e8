import HypervisorAPI
import Time

/// One operation on this host, from its preparation to commit or rollback.
///
/// Commit and rollback rest on nothing but the journal entry and the machines' records, so they work on an operation that was
/// found in the journal after a restart, too.
protocol HostOperation: Sendable {
    var entry: JournalEntry { get }
    var stages: StageLog { get }

    /// Every reason against the operation that can be told without taking anything; the instant is not its concern.
    func obstacles() async -> [Reason]

    /// Takes all that the operation needs. When it throws, it has given everything back.
    /// - Returns: the time that has to lie between ``arm(at:)`` and the instant.
    func prepare() async throws(HypervisorError) -> Span

    /// Gives back what ``prepare()`` took.
    func cancel() async

    /// Makes it certain that the operation happens at the instant. When it throws, ``cancel()`` is still to be called.
    /// - Returns: what happens, to be awaited.
    func arm(at instant: HostInstant) async throws(HypervisorError) -> @Sendable () async -> HypervisorReport

    /// Keeps an armed operation from happening, unless it has; what ``arm(at:)`` returned ends soon then.
    func disarm() async

    func commit() async throws(HypervisorError)

    func rollback(continueAt instant: HostInstant) async throws(HypervisorError)

    /// Whether a machine has gone past the point of no return by itself. Answered at once, also while the operation is armed.
    func happened() async -> Bool
}
