import Glibc
import HypervisorAPI

/// Reads the serial ports of machines that are being loaded, from before the load until they run.
///
/// A port that was saved while its reader was behind waits for the socket to take more. QEMU arms that wait when it loads the
/// port, which it can only do when somebody is connected; without, the guest would wait for its port for ever. What is read
/// here is in the port's log as well.
final class SerialDrain: Sendable {
    private let connections: [OwnedDescriptor]

    init(_ paths: [String]) {
        connections = paths.compactMap(Self.connect)
        // Not by a task, which may have to wait for its turn: of what a guest writes byte by byte, a socket holds some hundred bytes.
        for connection in connections {
            BlockingThread.start {
                var buffer = [UInt8](repeating: 0, count: 65536)
                while read(connection.number, &buffer, buffer.count) > 0 {}
            }
        }
    }

    deinit {
        for connection in connections { shutdown(connection.number, Int32(SHUT_RDWR)) }
    }

    private static func connect(_ path: String) -> OwnedDescriptor? {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(number)
        let connected = UNIXSocketAddress.with(path) { Glibc.connect(number, $0, $1) }
        return connected == 0 ? descriptor : nil
    }
}
