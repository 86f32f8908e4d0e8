import ControlInstance
import FoundationEssentials
import Glibc
import Logging

/// Where a daemon keeps its state: the file `state.sqlite` of its state folder, or a PostgreSQL server.
///
/// A state folder stays with the one that it began with: with the other, its machines and checkpoints would be unknown.
struct StateDatabase {
    static let variable = "FERMATA_DATABASE"

    let home: String
    let host: String
    let logger: Logger
    private var file: String { "\(home)/state.sqlite" }
    /// Says which server has the state, without a password.
    private var note: String { "\(home)/database" }

    func open(_ url: String) async throws -> any Store {
        // Processes that are started from here, QEMUs and what resources run, have no use for its password.
        unsetenv(Self.variable)
        guard !url.isEmpty else { return try openFile() }
        guard !FileManager.default.fileExists(atPath: file) else {
            throw CommandFailure(
                .usage,
                code: "database-mixed",
                "the state of \(home) is in \(file), and nothing is copied from there: leave \(Self.variable) away, or set "
                    + "FERMATA_HOME to another state folder"
            )
        }
        do {
            let identity = try InstanceIdentity.of(home: home, name: host)
            let store = try await PostgreSQLStore(url: url, identity: identity, logger: logger)
            try Data("\(store.place)\n".utf8).write(to: URL(filePath: note), options: .atomic)
            logger.notice("the state is in \(store.place)")
            return store
        } catch let error as StoreError {
            throw Self.failure(error, "\(Self.variable): ")
        }
    }

    private func openFile() throws -> any Store {
        let elsewhere = try? String(contentsOfFile: note, encoding: .utf8)
        if let elsewhere {
            throw CommandFailure(
                .usage,
                code: "database-mixed",
                "the state of \(home) is in \(elsewhere.split(separator: "\n").first ?? "a database"): set \(Self.variable); or "
                    + "remove \(note) to begin anew with SQLite, which knows none of its machines and checkpoints"
            )
        }
        do {
            return try SQLiteStore(path: file)
        } catch {
            throw Self.failure(error, "")
        }
    }

    private static func failure(_ error: StoreError, _ which: String) -> CommandFailure {
        if error.kind == .newer {
            return CommandFailure(.failed, code: "database-newer", which + error.message)
        }
        return CommandFailure(.failed, code: "database-unusable", which + error.message)
    }
}
