import ControlInstance
import FoundationEssentials
import Glibc
import Hypervisor
import HypervisorAPI
import Logging
import Manifest
import Time

/// What a daemon of one host is made of.
enum DaemonParts {
    static func controlInstance(
        home: String,
        environment: [String: String],
        logger: Logger
    ) async throws -> ControlInstance {
        var options = ControlOptions()
        options.quotaBytes = try quota(environment["FERMATA_QUOTA"] ?? "")
        options.linkPorts = try linkPorts(environment["FERMATA_LINK_PORTS"] ?? "")
        let host = try hostName(environment["FERMATA_HOST"] ?? "")
        let hypervisor = try await LocalHypervisor(
            home: home,
            host: host,
            ramFolder: try ramFolder(environment["FERMATA_RAM_FOLDER"] ?? ""),
            sharedFolders: try sharedFolders(environment["FERMATA_SHARED"] ?? ""),
            logger: logger
        )
        let far = FarHosts(
            home: home,
            clockErrorLimit: try clockErrorLimit(environment["FERMATA_CLOCK_ERROR"] ?? ""),
            logger: logger
        )
        let store = try await StateDatabase(home: home, host: host, logger: logger)
            .open(environment[StateDatabase.variable] ?? "")
        // A server elsewhere takes its time to record that hosts are being armed.
        if store.isShared {
            options.ownAsapMargin = .milliseconds(50)
            options.asapMargin = .milliseconds(60)
        }
        return try ControlInstance(
            home: home,
            hypervisors: [hypervisor],
            connect: { far.hypervisor(of: $0) },
            store: store,
            options: options,
            hooks: HookProcess(),
            logger: logger
        )
    }

    /// How badly another host's clock may be known; nil: nobody says.
    private static func clockErrorLimit(_ text: String) throws -> Span? {
        guard !text.isEmpty else { return nil }
        guard let span = try? Span(parsing: text), span > .zero else {
            throw CommandFailure(
                .usage,
                code: "clock-error-invalid",
                "FERMATA_CLOCK_ERROR is '\(text)', which is no duration such as 5ms"
            )
        }
        return span
    }

    private static func linkPorts(_ text: String) throws -> LinkPorts {
        guard !text.isEmpty else { return .usual }
        guard let ports = LinkPorts(text) else {
            throw CommandFailure(
                .usage,
                code: "link-ports-invalid",
                "FERMATA_LINK_PORTS is '\(text)', which is no range of ports such as \(LinkPorts.usual)"
            )
        }
        return ports
    }

    /// `FERMATA_RAM_FOLDER`, if it is set.
    static func ramFolder(_ folder: String) throws -> String? {
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

    /// `FERMATA_SHARED`, if it is set: absolute paths, with colons between them.
    private static func sharedFolders(_ text: String) throws -> [String] {
        let folders = text.split(separator: ":").map(String.init)
        for folder in folders {
            var status = stat()
            guard folder.hasPrefix("/"), stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw CommandFailure(
                    .usage,
                    code: "shared-folder-unusable",
                    "FERMATA_SHARED names '\(folder)', which is not the absolute path of a folder that is there"
                )
            }
        }
        return folders
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
    /// - Parameter wanted: `FERMATA_HOST`, if it is set.
    private static func hostName(_ wanted: String) throws -> String {
        guard !wanted.isEmpty else { return hostName() }
        let isName =
            wanted.utf8.count <= 64 && !wanted.hasPrefix("-") && !wanted.hasPrefix(".")
            && wanted.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        guard isName else {
            throw CommandFailure(
                .usage,
                code: "host-name-invalid",
                "FERMATA_HOST is '\(wanted)', which is no name of a host: letters, digits, '-', '_' and '.'"
            )
        }
        return wanted
    }

    /// As a daemon that is started with this process's environment calls its own host.
    static func hostName() -> String {
        if let named = ProcessInfo.processInfo.environment["FERMATA_HOST"], !named.isEmpty { return named }
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "localhost" : String(decoding: bytes, as: UTF8.self)
    }
}
