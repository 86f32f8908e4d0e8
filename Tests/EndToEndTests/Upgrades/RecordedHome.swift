import FoundationEssentials
import Glibc
import JSON
import Testing

/// The state folder of an older release, as `tools/upgrade/record.py` recorded it.
struct RecordedHome: Sendable, CustomTestStringConvertible {
    static let simulation = "old"
    static let machines = ["seven", "ten"]
    /// It knows absolute paths, and so comes back to where it was recorded.
    private static let folder = "/tmp/fermata-recorded"
    private static let states =
        #filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" } + "/qemu-fixtures/states"

    let name: String
    var testDescription: String { name }

    static let all: [RecordedHome] = FaultLab.contents(states).filter { $0.hasSuffix(".tar.xz") }
        .map { RecordedHome(name: String($0.dropLast(".tar.xz".count))) }

    /// Where nobody looks at what was skipped, nothing may be.
    static let canRun =
        ProcessInfo.processInfo.environment["CI"] == "true"
        || ["/usr/bin", "\(FaultLab.cache)/qemu-10.0/bin"].allSatisfy { access("\($0)/qemu-system-aarch64", X_OK) == 0 }

    /// `recorded.json` of a home.
    static func content(of home: CLIHome) throws -> JSONValue {
        try JSONValue(parsing: String(contentsOfFile: "\(home.folder)/recorded.json", encoding: .utf8))
    }

    /// Runs `body` with it, under this program; whatever is left ends with it.
    func with<Value: Sendable>(_ body: @Sendable (FaultLab) async throws -> Value) async throws -> Value {
        let lock = try await Self.lock()
        defer { close(lock) }
        let home = CLIHome(folder: Self.folder)
        do {
            try unpack(home)
            let value = try await FaultLab.with(FaultLab.Bed(), in: home, simulation: Self.simulation, body)
            await home.clear()
            return value
        } catch {
            await home.clear()
            throw error
        }
    }

    private func unpack(_ home: CLIHome) throws {
        // What a test left that was killed.
        for folder in [home.folder, home.ramFolder] {
            try? FileManager.default.removeItem(atPath: folder)
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }
        let packed = "'\(Self.states)/\(name).tar.xz'"
        _ = try CheckpointFiles.shell("xz -dc \(packed) | tar --no-same-owner -xpf - -C '\(home.folder)'")
        try FileManager.default.createSymbolicLink(
            atPath: "\(home.folder)/cache",
            withDestinationPath: FaultLab.cache
        )
    }

    /// Of the folder, over all processes of this host: a test that is killed gives it back.
    private static func lock() async throws -> Int32 {
        let lock = open("\(folder).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw CLIError("no \(folder).lock: errno \(errno)") }
        for _ in 0..<1_200 {
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { return lock }
            try await Task.sleep(for: .milliseconds(100))
        }
        close(lock)
        throw CLIError("somebody else has \(folder) for two minutes")
    }
}
