import Glibc
import HypervisorAPI

/// Reads on in the log of a serial port, to which QEMU appends: nobody is kept from the port's socket by it.
struct SerialTail: Sendable {
    private static let most = 16 << 10

    let port: Int
    private let path: String
    /// nil: of what is there nothing is told.
    private var offset: UInt64?

    init(port: Int, path: String, from offset: UInt64?) {
        self.port = port
        self.path = path
        self.offset = offset
    }

    /// - Returns: nil: there is no more now, or no such file.
    mutating func next() -> [UInt8]? {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard number >= 0 else { return nil }
        let file = OwnedDescriptor(number)
        return withExtendedLifetime(file) {
            var status = stat()
            guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            let size = UInt64(clamping: status.st_size)
            // Where there is less, it is another file.
            let start = offset.map { $0 > size ? 0 : $0 } ?? size
            offset = start
            guard start < size else { return nil }
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.most) { buffer, count in
                count = max(0, pread(file.number, buffer.baseAddress, buffer.count, off_t(clamping: start)))
            }
            offset = start + UInt64(bytes.count)
            return bytes.isEmpty ? nil : bytes
        }
    }
}

extension MachineRecord {
    /// Of its ports that are no links; none of an adopted machine, whose sockets are its owner's.
    var serialLogs: [SerialTail] {
        guard !adopted, let log, let end = log.lastIndex(of: "/") else { return [] }
        let folder = log[..<end]
        return launch.spec.serials.indices.filter { launch.spec.serials[$0] == .log }.map { port in
            SerialTail(port: port, path: "\(folder)/serial\(port).log", from: serialBegins?[port])
        }
    }
}
