import Synchronization
import Time

/// What `work` gives, or nil when it has not given it in time or was called off.
///
/// `work` is not awaited then (a hypervisor that hangs does not end because it is asked to): it goes on alone, and what it
/// gives in the end goes to `late`, so that nothing that it took stays taken.
func within<Value: Sendable>(
    _ limit: Span,
    unless callOff: CallOff? = nil,
    _ work: @escaping @Sendable () async -> Value,
    late: (@Sendable (Value) async -> Void)? = nil
) async -> Value? {
    let race = Race<Value>()
    Task {
        let value = await work()
        if !race.end(with: value) { await late?(value) }
    }
    let timer = Task {
        try? await Task.sleep(for: limit.duration)
        if !Task.isCancelled { race.end(with: nil) }
    }
    let watch = callOff?.onCall { race.end(with: nil) }
    let value = await race.winner()
    timer.cancel()
    watch?()
    return value
}

/// One value from whoever is first. A class only because both sides hold it.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Value?, Never>)
        case ended(Value?)
    }

    private let state = Mutex(State.open)

    /// - Returns: whether it was the first.
    @discardableResult
    func end(with value: Value?) -> Bool {
        let (first, waiting): (Bool, CheckedContinuation<Value?, Never>?) = state.withLock { state in
            switch state {
            case .open:
                state = .ended(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .ended(value)
                return (true, continuation)
            case .ended:
                return (false, nil)
            }
        }
        waiting?.resume(returning: value)
        return first
    }

    func winner() async -> Value? {
        await withCheckedContinuation { continuation in
            let value: Value?? = state.withLock { state in
                if case .ended(let value) = state { return .some(value) }
                state = .waiting(continuation)
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
