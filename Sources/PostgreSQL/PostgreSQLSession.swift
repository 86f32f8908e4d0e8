/// What a transaction may do: statements, one after the other, on the client's thread. Not to be kept.
public struct PostgreSQLSession {
    let link: Link
    let deadline: ContinuousClock.Instant

    /// - Parameter sql: one statement, a constant; `$1`, `$2`… stand for the parameters.
    @discardableResult
    public func run(
        _ sql: StaticString,
        _ parameters: [PostgreSQLValue] = []
    ) throws(PostgreSQLError) -> PostgreSQLResult {
        try link.query(sql.description, parameters, until: deadline)
    }

    /// As in `150018` for 15.18.
    public var serverVersion: Int { link.serverVersion }
}
