import ControlInstance
import FoundationEssentials
import Glibc
import Hypervisor
import HypervisorAPI
import Logging
import Manifest

/// What a daemon of one host is made of.
enum DaemonParts {
    static func controlInstance(
        home: String,
        environment: [String: String],
        logger: Logger
    ) async throws -> ControlInstance {
        var options = ControlOptions()
        options.quotaBytes = try quota(environment["FERMATA_QUOTA"] ?? "")
        let hypervisor = try await LocalHypervisor(
            home: home,
            host: hostName(),
            ramFolder: try ramFolder(environment["FERMATA_RAM_FOLDER"] ?? ""),
            logger: logger
        )
        return try ControlInstance(
            home: home,
            hypervisors: [hypervisor],
            store: try SQLiteStore(path: "\(home)/state.sqlite"),
            options: options,
            logger: logger
        )
    }

    /// `FERMATA_RAM_FOLDER`, if it is set.
    private static func ramFolder(_ folder: String) throws -> String? {
        guard !folder.isEmpty else { return nil }
        var status = stat()
        guard folder.hasPrefix("/"), stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw CommandFailure(
                .usage,
                code: "ram-folder-unusable",
                "FERMATA_RAM_FOLDER is '\(folder)', which is not the absolute path of a folder that is there"
            )
        }
        return folder
    }

    private static func quota(_ text: String) throws -> UInt64? {
        guard !text.isEmpty else { return nil }
        guard let bytes = ByteCount.parse(text), bytes > 0, bytes <= 1 << 60 else {
            throw CommandFailure(
                .usage,
                code: "quota-invalid",
                "FERMATA_QUOTA is '\(text)', which is no size: write bytes, or with K, M, G or T, such as 200G"
            )
        }
        return bytes
    }

    /// Of this host; a control instance with more hosts tells them apart by it.
    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "localhost" : String(decoding: bytes, as: UTF8.self)
    }
}
