import QMP

/// The error of a monitor operation; nil when it succeeded.
func failure<Value>(of body: () async throws -> Value) async -> QMPError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? QMPError
    }
}
