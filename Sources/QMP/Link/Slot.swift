/// A value that is filled in once, by whoever comes first, and can be awaited any number of times.
final class Slot<Value: Sendable>: Sendable {
    private enum State {
        case empty([CheckedContinuation<Value, Never>])
        case filled(Value)
    }

    private let state = Guarded<State>(.empty([]))

    func fill(_ value: Value) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .empty(let waiting) = state else { return [] }
            state = .filled(value)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }

    /// Does not end by cancellation: whoever cancels fills the slot.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> Value? in
                switch state {
                case .empty(let waiting):
                    state = .empty(waiting + [continuation])
                    return nil
                case .filled(let value):
                    return value
                }
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
