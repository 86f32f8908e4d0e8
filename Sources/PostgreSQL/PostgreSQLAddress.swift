import Glibc

/// Where a database is, as `FERMATA_DATABASE` says it: a URL, understood by libpq itself with all that belongs to it (several hosts,
/// `sslmode`, `service`, `~/.pgpass`, `PG…` variables).
public struct PostgreSQLAddress: Sendable, CustomStringConvertible {
    let url: String
    private let password: String?
    /// For people and logs: without a password.
    public let description: String

    /// - Throws: `libraryMissing`, `addressInvalid`.
    public init(_ url: String) throws(PostgreSQLError) {
        let libpq = try LibPQ.shared.get()
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://"), !url.utf8.contains(0) else {
            throw Self.invalid("it does not begin with postgresql://")
        }
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = libpq.parse(url, &problem) else {
            // libpq's sentences cite the URL, and in it the password.
            let cites = url.contains("@") || url.lowercased().contains("password")
            let reason = problem.map { String(cString: $0) } ?? ""
            libpq.freeMemory(problem)
            throw Self.invalid(cites || reason.isEmpty ? "libpq cannot read it" : Self.line(reason))
        }
        defer { libpq.freeOptions(options) }
        var values: [String: String] = [:]
        var next = options.assumingMemoryBound(to: LibPQ.Option.self)
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.value { values[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        self.url = url
        password = values["password"].flatMap { $0.isEmpty ? nil : $0 }
        let user = values["user"].map { "\($0)@" } ?? ""
        let hosts = values["host"] ?? values["hostaddr"] ?? ""
        let port = values["port"].map { ":\($0)" } ?? ""
        // A folder with a UNIX socket.
        let place = hosts.hasPrefix("/") ? "" : hosts + port
        let socket = hosts.hasPrefix("/") ? "?host=\(hosts)\(values["port"].map { "&port=\($0)" } ?? "")" : ""
        description = "postgresql://\(user)\(place)/\(values["dbname"] ?? "")\(socket)"
    }

    /// A sentence of libpq's or the server's, on one line and without the password, should it be in it.
    func clean(_ message: String) -> String {
        let text = Self.line(message)
        guard let password else { return text }
        return text.split(separator: password, omittingEmptySubsequences: false).joined(separator: "***")
    }

    private static func line(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: { $0 == "\t" || $0 == " " }) }
            .joined(separator: "; ")
    }

    private static func invalid(_ why: String) -> PostgreSQLError {
        PostgreSQLError(
            .addressInvalid,
            "this is no address of a PostgreSQL database (\(why)): write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
                + "with special characters of the password as %XX, or leave the password to ~/.pgpass"
        )
    }
}
