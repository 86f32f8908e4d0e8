/// Why a database could not be used, as a sentence. Never has a password in it.
public struct PostgreSQLError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// No libpq on this machine.
        case libraryMissing
        /// What was given as a database's address is none.
        case addressInvalid
        /// No connection, or the server will not have it: password, database, encryption.
        case unreachable
        /// The connection broke, or the server took too long. Of a transaction that was being committed nobody knows then whether it was.
        case lost(inDoubt: Bool)
        /// The server's answer to a statement: its five characters of SQLSTATE.
        case statement(String)
        /// A value that the database cannot keep, or an answer that means nothing.
        case value
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }

    /// A later attempt may succeed, without anything being changed here.
    public var isConnectionLoss: Bool {
        switch kind {
        case .unreachable, .lost: true
        case .libraryMissing, .addressInvalid, .statement, .value: false
        }
    }
}
