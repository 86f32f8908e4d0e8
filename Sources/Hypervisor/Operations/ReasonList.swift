import HypervisorAPI

/// Collects why something cannot be done, to tell all of it and not only the first.
struct ReasonList {
    private(set) var reasons: [Reason] = []
    /// Whose reasons they are.
    var machine: String?

    init(of machine: String? = nil) { self.machine = machine }

    mutating func add(_ more: [Reason]) {
        for reason in more {
            var reason = reason
            reason.machine = reason.machine ?? machine
            // The same words twice, of two steps that failed of one cause, say no more than once.
            if !reasons.contains(reason) { reasons.append(reason) }
        }
    }

    /// - Returns: nil when it failed; why is in the list then.
    @discardableResult
    mutating func attempt<Value>(_ body: () async throws(HypervisorError) -> Value) async -> Value? {
        do throws(HypervisorError) {
            return try await body()
        } catch {
            add(error.reasons)
            return nil
        }
    }

    /// As the other one, of what does not wait.
    @discardableResult
    mutating func attempt<Value>(_ body: () throws(HypervisorError) -> Value) -> Value? {
        do throws(HypervisorError) {
            return try body()
        } catch {
            add(error.reasons)
            return nil
        }
    }

    func throwIfAny() throws(HypervisorError) {
        guard reasons.isEmpty else { throw HypervisorError(reasons) }
    }
}
