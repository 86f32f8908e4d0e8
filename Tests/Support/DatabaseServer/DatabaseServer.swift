import Glibc
import Synchronization
import TestCommand

/// A PostgreSQL server of a test's own, as `tools/postgresql.sh` makes it. It ends, and its files are gone, with this object, at the
/// latest with the process.
public final class DatabaseServer: Sendable {
    /// Whether this machine can have one. Where nothing may be skipped, tools/test.sh sees to it.
    public static let isAvailable = (try? run("available")) != nil

    public let folder: String
    private static let all = Mutex<Set<String>>([])
    private static let removalAtExit: Void = {
        atexit {
            for folder in DatabaseServer.all.withLock({ $0 }) { _ = try? DatabaseServer.run("remove", folder) }
        }
    }()

    /// One for all tests of a process that do not stop it; each has databases of its own.
    public static let shared = Result { try DatabaseServer() }

    public init() throws {
        _ = Self.removalAtExit
        // Short: the path of a socket has no more than 107 characters.
        folder = "/tmp/fermata-pg-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        Self.all.withLock { [folder] in _ = $0.insert(folder) }
        try Self.run("create", folder)
        try start()
    }

    deinit {
        _ = try? Self.run("remove", folder)
        Self.all.withLock { [folder] in _ = $0.remove(folder) }
    }

    public func start() throws { try Self.run("start", folder) }

    /// As a crash, or a power cut, ends it: no transaction that is under way is finished, no client is told.
    public func crash() throws { try Self.run("stop", folder, "immediate") }

    public func stop() throws { try Self.run("stop", folder) }

    /// Makes a database.
    /// - Returns: its address.
    public func database() throws -> String {
        let name = "t\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try Self.run("database", folder, name)
        return url(of: name)
    }

    /// Makes a database of what `tools/postgresql.sh dump` wrote.
    /// - Returns: its address.
    public func database(of dump: String) throws -> String {
        let name = "t\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try Self.run("database", folder, name)
        try Self.run("restore", folder, name, dump)
        return url(of: name)
    }

    /// - Parameter user: `locked` is the one who needs a password.
    public func url(of database: String, user: String = "fermata", password: String? = nil) -> String {
        "postgresql://\(user)\(password.map { ":\($0)" } ?? "")@/\(database)?host=\(folder)"
    }

    /// Makes the user `locked`.
    public func lock(with password: String) throws { try Self.run("password", folder, password) }

    private static func run(_ arguments: String...) throws {
        let here = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        try TestCommand.run(["/\(here)/tools/postgresql.sh"] + arguments)
    }
}
