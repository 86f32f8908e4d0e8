import Glibc

/// The functions of libpq that are used here, found in `libpq.so.5` when the first database is opened.
///
/// Not linked: whoever keeps the state in SQLite needs no libpq on the machine, neither to build nor to run. The names and types below are
/// libpq's interface since PostgreSQL 9.1, which its file name (`.so.5`) vouches for.
struct LibPQ: Sendable {
    typealias Connection = OpaquePointer
    typealias Answer = OpaquePointer
    typealias Strings = UnsafePointer<UnsafePointer<CChar>?>

    let connectStart: @convention(c) @Sendable (Strings, Strings, CInt) -> Connection?
    let connectPoll: @convention(c) @Sendable (Connection) -> CInt
    let status: @convention(c) @Sendable (Connection) -> CInt
    let socket: @convention(c) @Sendable (Connection) -> CInt
    let errorMessage: @convention(c) @Sendable (Connection) -> UnsafePointer<CChar>?
    let serverVersion: @convention(c) @Sendable (Connection) -> CInt
    let setNonblocking: @convention(c) @Sendable (Connection, CInt) -> CInt
    let finish: @convention(c) @Sendable (Connection) -> Void

    let sendQuery:
        @convention(c) @Sendable (
            Connection, UnsafePointer<CChar>, CInt, UnsafePointer<UInt32>?, Strings?, UnsafePointer<CInt>?,
            UnsafePointer<CInt>?, CInt
        ) -> CInt
    let flush: @convention(c) @Sendable (Connection) -> CInt
    let consumeInput: @convention(c) @Sendable (Connection) -> CInt
    let isBusy: @convention(c) @Sendable (Connection) -> CInt
    let getResult: @convention(c) @Sendable (Connection) -> Answer?

    let resultStatus: @convention(c) @Sendable (Answer) -> CInt
    let resultMessage: @convention(c) @Sendable (Answer) -> UnsafePointer<CChar>?
    let resultField: @convention(c) @Sendable (Answer, CInt) -> UnsafePointer<CChar>?
    let rows: @convention(c) @Sendable (Answer) -> CInt
    let columns: @convention(c) @Sendable (Answer) -> CInt
    let columnName: @convention(c) @Sendable (Answer, CInt) -> UnsafePointer<CChar>?
    let isNull: @convention(c) @Sendable (Answer, CInt, CInt) -> CInt
    let length: @convention(c) @Sendable (Answer, CInt, CInt) -> CInt
    let value: @convention(c) @Sendable (Answer, CInt, CInt) -> UnsafeMutablePointer<CChar>?
    let affected: @convention(c) @Sendable (Answer) -> UnsafePointer<CChar>?
    let clear: @convention(c) @Sendable (Answer) -> Void

    let parse:
        @convention(c) @Sendable (
            UnsafePointer<CChar>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        ) -> UnsafeMutableRawPointer?
    let freeOptions: @convention(c) @Sendable (UnsafeMutableRawPointer?) -> Void
    let freeMemory: @convention(c) @Sendable (UnsafeMutableRawPointer?) -> Void

    /// `PQconninfoOption`, of which `parse` gives an array that ends with one without a keyword.
    struct Option {
        var keyword: UnsafeMutablePointer<CChar>?
        var environment: UnsafeMutablePointer<CChar>?
        var compiled: UnsafeMutablePointer<CChar>?
        var value: UnsafeMutablePointer<CChar>?
        var label: UnsafeMutablePointer<CChar>?
        var shown: UnsafeMutablePointer<CChar>?
        var size: CInt
    }

    static let shared = Result { () throws(PostgreSQLError) in try LibPQ(path: "libpq.so.5") }

    init(path: String) throws(PostgreSQLError) {
        // Never unloaded: it registers with OpenSSL, which does not expect it to go.
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw PostgreSQLError(
                .libraryMissing,
                "PostgreSQL needs its client library, and \(path) cannot be loaded "
                    + "(\(dlerror().map { String(cString: $0) } ?? "no reason given")): install it "
                    + "(Debian's package libpq5)"
            )
        }
        func find<Function>(_ name: String, as type: Function.Type) throws(PostgreSQLError) -> Function {
            guard let symbol = dlsym(library, name) else {
                throw PostgreSQLError(
                    .libraryMissing,
                    "\(path) has no function \(name): libpq of PostgreSQL 9.1 or later is needed"
                )
            }
            return unsafeBitCast(symbol, to: type)
        }
        connectStart = try find("PQconnectStartParams", as: type(of: connectStart))
        connectPoll = try find("PQconnectPoll", as: type(of: connectPoll))
        status = try find("PQstatus", as: type(of: status))
        socket = try find("PQsocket", as: type(of: socket))
        errorMessage = try find("PQerrorMessage", as: type(of: errorMessage))
        serverVersion = try find("PQserverVersion", as: type(of: serverVersion))
        setNonblocking = try find("PQsetnonblocking", as: type(of: setNonblocking))
        finish = try find("PQfinish", as: type(of: finish))
        sendQuery = try find("PQsendQueryParams", as: type(of: sendQuery))
        flush = try find("PQflush", as: type(of: flush))
        consumeInput = try find("PQconsumeInput", as: type(of: consumeInput))
        isBusy = try find("PQisBusy", as: type(of: isBusy))
        getResult = try find("PQgetResult", as: type(of: getResult))
        resultStatus = try find("PQresultStatus", as: type(of: resultStatus))
        resultMessage = try find("PQresultErrorMessage", as: type(of: resultMessage))
        resultField = try find("PQresultErrorField", as: type(of: resultField))
        rows = try find("PQntuples", as: type(of: rows))
        columns = try find("PQnfields", as: type(of: columns))
        columnName = try find("PQfname", as: type(of: columnName))
        isNull = try find("PQgetisnull", as: type(of: isNull))
        length = try find("PQgetlength", as: type(of: length))
        value = try find("PQgetvalue", as: type(of: value))
        affected = try find("PQcmdTuples", as: type(of: affected))
        clear = try find("PQclear", as: type(of: clear))
        parse = try find("PQconninfoParse", as: type(of: parse))
        freeOptions = try find("PQconninfoFree", as: type(of: freeOptions))
        freeMemory = try find("PQfreemem", as: type(of: freeMemory))
    }
}
