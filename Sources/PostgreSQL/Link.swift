import Glibc

/// One connection, used from one thread at a time: every call waits, no longer than its deadline. A connection that was lost or
/// took too long is of no further use.
final class Link {
    private let libpq: LibPQ
    private let connection: LibPQ.Connection
    private let address: PostgreSQLAddress
    private(set) var isLost = false

    /// - Throws: `unreachable`.
    init(_ libpq: LibPQ, _ address: PostgreSQLAddress, within limit: Duration) throws(PostgreSQLError) {
        let deadline = ContinuousClock.now + limit
        // Before the address, so that it may say otherwise. A network that swallows packets is noticed by the kernel, too.
        let settings = [
            ("application_name", "fermata"), ("client_encoding", "UTF8"), ("keepalives_idle", "10"),
            ("keepalives_interval", "5"), ("keepalives_count", "3"), ("tcp_user_timeout", "20000"),
            ("dbname", address.url),
        ]
        let opened = Self.withStrings(settings.map(\.0) + [nil]) { keywords in
            Self.withStrings(settings.map(\.1) + [nil]) { values in libpq.connectStart(keywords, values, 1) }
        }
        guard let connection = opened else {
            throw PostgreSQLError(.unreachable, "\(address) cannot be reached: there is no memory for a connection")
        }
        self.libpq = libpq
        self.connection = connection
        self.address = address
        var step = libpq.status(connection) == 1 ? CInt(0) : 2
        while step != 3 {
            guard step != 0, wait(for: step == 1 ? POLLIN : POLLOUT, until: deadline) else {
                let why =
                    step == 0
                    ? address.clean(libpq.errorMessage(connection).map { String(cString: $0) } ?? "")
                    : "no answer within \(limit)"
                throw PostgreSQLError(.unreachable, "the database \(address) cannot be reached: \(why)")
            }
            step = libpq.connectPoll(connection)
        }
        _ = libpq.setNonblocking(connection, 1)
    }

    deinit { libpq.finish(connection) }

    /// As in `150018` for 15.18.
    var serverVersion: Int { Int(libpq.serverVersion(connection)) }

    /// - Throws: `lost`, `statement`, `value`.
    func query(
        _ sql: String,
        _ parameters: [PostgreSQLValue],
        until deadline: ContinuousClock.Instant
    ) throws(PostgreSQLError) -> PostgreSQLResult {
        let values = parameters.map(\.encoded)
        // The rest would be lost without a word.
        guard values.allSatisfy({ !($0?.utf8.contains(0) ?? false) }) else {
            throw PostgreSQLError(.value, "a text has a NUL in it, which PostgreSQL cannot keep")
        }
        guard let count = CInt(exactly: parameters.count), !isLost else { throw lost() }
        let sent = Self.withStrings(values) { values in
            libpq.sendQuery(connection, sql, count, parameters.map(\.type), values, nil, nil, 0)
        }
        guard sent == 1 else { throw lost() }
        while true {
            let rest = libpq.flush(connection)
            if rest == 0 { break }
            guard rest > 0, wait(for: POLLIN | POLLOUT, until: deadline), libpq.consumeInput(connection) == 1 else {
                throw lost(until: deadline)
            }
        }
        var outcome: Result<PostgreSQLResult, PostgreSQLError>?
        while true {
            while libpq.isBusy(connection) == 1 {
                guard wait(for: POLLIN, until: deadline), libpq.consumeInput(connection) == 1 else {
                    throw lost(until: deadline)
                }
            }
            guard let answer = libpq.getResult(connection) else { break }
            // Of several the first error counts.
            if case .failure = outcome {} else { outcome = read(answer) }
            libpq.clear(answer)
        }
        guard let outcome else { throw lost() }
        return try outcome.get()
    }

    private func read(_ answer: LibPQ.Answer) -> Result<PostgreSQLResult, PostgreSQLError> {
        let status = libpq.resultStatus(answer)
        guard status == 1 || status == 2 else {
            let message = libpq.resultMessage(answer).map { String(cString: $0) } ?? "no reason given"
            let state = libpq.resultField(answer, CInt(UInt8(ascii: "C"))).map { String(cString: $0) }
            // The server is going down, or has not come up; it says so before it closes.
            let isEnd = state.map { $0.hasPrefix("08") || $0.hasPrefix("57P") } ?? true
            if isEnd || libpq.status(connection) != 0 { return .failure(lost(address.clean(message))) }
            return .failure(PostgreSQLError(.statement(state ?? ""), "the database says: \(address.clean(message))"))
        }
        let columns = (0..<libpq.columns(answer)).map { ($0, libpq.columnName(answer, $0)) }
        let rows = (0..<libpq.rows(answer)).map { row in
            var values: [String: String?] = [:]
            for (column, name) in columns {
                guard let name else { continue }
                let isNull = libpq.isNull(answer, row, column) == 1
                values.updateValue(isNull ? nil : text(answer, row, column), forKey: String(cString: name))
            }
            return PostgreSQLRow(values)
        }
        let affected = libpq.affected(answer).flatMap { Int(String(cString: $0)) } ?? 0
        return .success(PostgreSQLResult(rows: rows, affected: affected))
    }

    private func text(_ answer: LibPQ.Answer, _ row: CInt, _ column: CInt) -> String? {
        guard let value = libpq.value(answer, row, column) else { return nil }
        let bytes = UnsafeRawBufferPointer(start: value, count: max(0, Int(libpq.length(answer, row, column))))
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: - Ends

    private func lost(until deadline: ContinuousClock.Instant) -> PostgreSQLError {
        ContinuousClock.now >= deadline ? lost("it did not answer in time") : lost()
    }

    private func lost(_ why: String? = nil) -> PostgreSQLError {
        isLost = true
        let why = why ?? address.clean(libpq.errorMessage(connection).map { String(cString: $0) } ?? "")
        return PostgreSQLError(
            .lost(inDoubt: false),
            "the connection to the database \(address) was lost: \(why.isEmpty ? "it was closed" : why)"
        )
    }

    /// - Returns: false when the time is over or there is nothing to wait for.
    private func wait(for events: CInt, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let rest = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard rest > 0 else { return false }
            var descriptor = pollfd(fd: libpq.socket(connection), events: Int16(events), revents: 0)
            guard descriptor.fd >= 0 else { return false }
            let count = poll(&descriptor, 1, CInt(min(rest.rounded(.up), 3_600_000)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }

    private static func withStrings<Value>(_ strings: [String?], _ body: (LibPQ.Strings) -> Value) -> Value {
        let copies = strings.map { $0.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        // One more, so that an empty list has an address, too.
        return (copies + [nil]).map { UnsafePointer($0) }.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? body(UnsafePointer(bitPattern: 8).unsafelyUnwrapped)
        }
    }
}
