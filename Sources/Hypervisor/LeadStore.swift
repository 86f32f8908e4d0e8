import FoundationEssentials
import Glibc
import HostClock
import Time

/// How quickly one machine follows commands, over all its processes: a process sees a `cont` and a `stop` or two, too few to tell.
///
/// What it holds makes instants better and is nothing that anybody relies on. So a file that is missing, damaged or cannot be
/// written is no error, and it is not synced.
struct LeadStore: Sendable {
    /// Absolute.
    let path: String

    /// Two full calibrations take less than a tenth of that.
    private static let sizeLimit = 16 << 10

    func load() -> [InstantCommand: LeadCalibration] {
        guard let data = read(), let stored = try? JSONDecoder().decode([String: LeadCalibration].self, from: data)
        else { return [:] }
        return stored.reduce(into: [:]) { leads, entry in
            if let command = InstantCommand(rawValue: entry.key) { leads[command] = entry.value }
        }
    }

    /// Not to be called when something is armed: it takes as long as the disk does.
    func save(_ leads: [InstantCommand: LeadCalibration]) {
        let stored = leads.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value }
        guard let data = try? JSONEncoder().encode(stored) else { return }
        try? FileManager.default.createDirectory(
            atPath: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]),
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try? data.write(to: URL(filePath: path), options: .atomic)
    }

    private func read() -> Data? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.sizeLimit else {
            return nil
        }
        return try? Data(contentsOf: URL(filePath: path))
    }
}
