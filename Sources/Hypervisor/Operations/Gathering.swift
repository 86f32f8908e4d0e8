import HypervisorAPI

extension Sequence where Element: Sendable, Self: Sendable {
    /// Does the same for every element at once, in the order of the elements.
    /// - Throws: the reasons of all that failed, when all have ended.
    func gather<Value: Sendable>(
        _ body: @escaping @Sendable (Element) async throws(HypervisorError) -> Value
    ) async throws(HypervisorError) -> [Value] {
        let results = await gatherResults(body)
        try results.throwReasons()
        return results.compactMap { try? $0.get() }
    }

    func gatherResults<Value: Sendable>(
        _ body: @escaping @Sendable (Element) async throws(HypervisorError) -> Value
    ) async -> [Result<Value, HypervisorError>] {
        await withTaskGroup(of: (Int, Result<Value, HypervisorError>).self) { group in
            for (index, element) in enumerated() {
                group.addTask {
                    do throws(HypervisorError) {
                        return (index, .success(try await body(element)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

extension Sequence {
    /// - Throws: the reasons of all failures, when there is any.
    func throwReasons<Value>() throws(HypervisorError) where Element == Result<Value, HypervisorError> {
        let reasons = flatMap { result -> [Reason] in
            if case .failure(let error) = result { error.reasons } else { [] }
        }
        guard reasons.isEmpty else { throw HypervisorError(reasons) }
    }
}
