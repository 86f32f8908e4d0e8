import Time

/// What `body` gives, or nil when it takes longer; `body` is cancelled then.
func withTimeLimit<Value: Sendable>(
    _ limit: Span,
    _ body: @escaping @Sendable () async -> Value?
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Task.sleep(for: limit.duration)
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
