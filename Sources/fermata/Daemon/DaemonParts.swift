import ControlInstance
import Glibc
import Hypervisor
import HypervisorAPI
import Logging

/// What a daemon of one host is made of.
enum DaemonParts {
    static func controlInstance(home: String, logger: Logger) async throws -> ControlInstance {
        let hypervisor = try await LocalHypervisor(home: home, host: hostName(), logger: logger)
        return try ControlInstance(
            home: home,
            hypervisors: [hypervisor],
            store: try SQLiteStore(path: "\(home)/state.sqlite"),
            logger: logger
        )
    }

    /// Of this host; a control instance with more hosts tells them apart by it.
    static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "localhost" : String(decoding: bytes, as: UTF8.self)
    }
}
