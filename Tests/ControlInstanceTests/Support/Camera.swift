import FoundationEssentials
import GRDB

/// Copies a database with its journal just before each transaction is committed, and just after.
final class Camera: TransactionObserver {
    private let path: String
    private(set) var pictures: [String] = []

    init(of path: String) { self.path = path }

    func observes(eventsOfKind kind: DatabaseEventKind) -> Bool { true }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidRollback(_ database: Database) {}
    func databaseWillCommit() throws { try take() }
    func databaseDidCommit(_ database: Database) { try? take() }

    private func take() throws {
        let picture = "\(path)-\(pictures.count).sqlite"
        try Self.copy(path, to: picture)
        pictures.append(picture)
    }

    /// Not its index (`-shm`): who opens it makes that anew from the journal.
    static func copy(_ path: String, to copy: String) throws {
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
    }
}
