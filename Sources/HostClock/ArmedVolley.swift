import Synchronization
public import Time

/// A volley that leaves at its instant by itself, whether or not anybody holds or awaits this value.
///
/// It ends in exactly one way (``VolleyReport/Outcome-swift.enum``). Whoever takes `stage` out of `armed` first decides
/// which: the thread at the instant, or ``cancel()``.
public final class ArmedVolley: Sendable {
    private enum Stage: UInt8 {
        case armed
        case firing
        case withdrawn
    }

    private struct Completion {
        var report: VolleyReport?
        var waiting: [CheckedContinuation<VolleyReport, Never>] = []
    }

    public let deadline: HostInstant
    /// The first shot leaves now + this late at most, else none does.
    let tolerance: Span
    let alarm: any Alarm
    /// Written by the thread alone, between `beginFiring` and `finish`; read by it alone. What others see is the report.
    nonisolated(unsafe) let memory: VolleyMemory
    private let thread: DeadlineThread
    private let stage = Atomic(Stage.armed.rawValue)
    private let completion = Mutex(Completion())

    init(
        deadline: HostInstant,
        tolerance: Span,
        memory: consuming VolleyMemory,
        alarm: any Alarm,
        thread: DeadlineThread
    ) {
        self.deadline = deadline
        self.tolerance = tolerance
        self.memory = memory
        self.alarm = alarm
        self.thread = thread
    }

    /// What became of the volley, as soon as that is known: after the instant, or after ``cancel()``.
    ///
    /// Any number of tasks may wait. A cancelled task keeps waiting: the instant is not far, and what happened at it
    /// must not get lost.
    public func fired() async -> VolleyReport {
        await withCheckedContinuation { continuation in
            let report = completion.withLock { completion in
                if completion.report == nil { completion.waiting.append(continuation) }
                return completion.report
            }
            if let report { continuation.resume(returning: report) }
        }
    }

    /// Withdraws the volley.
    ///
    /// - Returns: True when nothing was written and nothing will be; false when it is firing, from 50 µs before the first
    ///   shot on, or has fired.
    public func cancel() -> Bool {
        if withdraw(.cancelled) { thread.wake() }
        return stage.load(ordering: .acquiring) == Stage.withdrawn.rawValue
    }

    /// Nothing has left yet, and nobody has withdrawn it.
    public var isArmed: Bool { stage.load(ordering: .acquiring) == Stage.armed.rawValue }

    /// From here on the shots leave, and cancelling is too late.
    func beginFiring() -> Bool { leaveArmed(for: .firing) }

    func finishFiring(clockSteppedWhileFiring: Bool) {
        complete(
            VolleyReport(
                deadline: deadline,
                outcome: .fired,
                shots: memory.reports(fired: true),
                clockSteppedWhileFiring: clockSteppedWhileFiring,
                privileges: thread.privileges
            )
        )
    }

    /// Ends it with nothing written; false when it had ended or begun to fire.
    @discardableResult
    func withdraw(_ outcome: VolleyReport.Outcome) -> Bool {
        guard leaveArmed(for: .withdrawn) else { return false }
        complete(
            VolleyReport(
                deadline: deadline,
                outcome: outcome,
                shots: memory.reports(fired: false),
                privileges: thread.privileges
            )
        )
        return true
    }

    private func leaveArmed(for next: Stage) -> Bool {
        stage.compareExchange(
            expected: Stage.armed.rawValue,
            desired: next.rawValue,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    private func complete(_ report: VolleyReport) {
        let waiting = completion.withLock { completion in
            completion.report = report
            defer { completion.waiting = [] }
            return completion.waiting
        }
        for continuation in waiting { continuation.resume(returning: report) }
    }
}
