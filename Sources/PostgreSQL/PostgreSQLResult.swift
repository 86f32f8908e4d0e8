/// What a statement gave back.
public struct PostgreSQLResult: Hashable, Sendable {
    public var rows: [PostgreSQLRow]
    /// How many rows it wrote or removed.
    public var affected: Int
}

/// One row, its values as the server writes them.
public struct PostgreSQLRow: Hashable, Sendable {
    private var values: [String: String?]

    init(_ values: [String: String?]) { self.values = values }

    /// - Throws: when there is no such column, or it is null.
    public func text(_ column: String) throws(PostgreSQLError) -> String {
        guard let text = try optionalText(column) else { throw Self.holdsNo("value", column) }
        return text
    }

    public func optionalText(_ column: String) throws(PostgreSQLError) -> String? {
        guard let value = values[column] else { throw Self.holdsNo("value", column) }
        return value
    }

    public func integer(_ column: String) throws(PostgreSQLError) -> Int64 {
        guard let number = Int64(try text(column)) else { throw Self.holdsNo("number", column) }
        return number
    }

    public func optionalInteger(_ column: String) throws(PostgreSQLError) -> Int64? {
        try optionalText(column) == nil ? nil : integer(column)
    }

    public func boolean(_ column: String) throws(PostgreSQLError) -> Bool {
        switch try text(column) {
        case "t": true
        case "f": false
        default: throw Self.holdsNo("truth value", column)
        }
    }

    private static func holdsNo(_ what: String, _ column: String) -> PostgreSQLError {
        PostgreSQLError(.value, "column \(column) holds no \(what)")
    }
}
