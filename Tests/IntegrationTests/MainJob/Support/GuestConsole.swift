import CShims
import Foundation
import Glibc
import HostClock
import Synchronization
import Time

/// One end of a guest's first serial line. QEMU serves one client at a time, so this one is to be closed before the next.
///
/// A thread takes in at once what the guest says: each byte of a UART takes a packet of the socket's buffer, which is full
/// after some hundred of them, and a guest whose console is full waits.
final class GuestConsole: Sendable {
    private let descriptor: Int32
    private let name: String
    private let heard = Mutex<[GuestRecord]>([])

    init(of machine: String, socket path: String) throws {
        name = machine
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError("no socket: errno \(errno)") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            close(descriptor)
            throw TestSupportError("\(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let problem = errno
            close(descriptor)
            throw TestSupportError("cannot connect to \(path): \(String(cString: strerror(problem)))")
        }
        // With a descriptor of its own, so that it ends by itself when this console is dropped.
        let ears = dup(descriptor)
        let thread = Thread { [weak self] in
            Self.listen(ears) { record in self?.heard.withLock { $0.append(record) } }
            close(ears)
        }
        thread.start()
    }

    deinit {
        // The thread's duplicate keeps the connection open otherwise.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    var records: [GuestRecord] { heard.withLock { $0 } }

    func tell(_ command: String) throws {
        let bytes = Array("\(command)\n".utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw TestSupportError("\(name) does not take '\(command)': errno \(errno)")
        }
    }

    private static func listen(_ descriptor: Int32, _ take: (GuestRecord) -> Void) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            pending += chunk[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                if let record = GuestRecord.parse(pending[..<end]) { take(record) }
                pending.removeSubrange(...end)
            }
        }
    }

    /// The first record, of those since this console was opened, that is as wanted.
    /// - Throws: after a limit that only a guest that hangs reaches, on however busy a host.
    func wait(for what: String, _ accept: (GuestRecord) -> Bool) async throws -> GuestRecord {
        var seen = 0
        for _ in 0..<3000 {
            let records = records
            for record in records[seen...] where accept(record) { return record }
            seen = records.count
            try await Task.sleep(for: .milliseconds(20))
        }
        throw TestSupportError(
            "\(name) did not say '\(what)'; its last record: \(records.last.map { "\($0)" } ?? "none")"
        )
    }

    func ask(_ command: String, _ tag: String) async throws -> GuestRecord {
        try tell("\(command) \(tag)")
        return try await wait(for: "\(command) \(tag)") { $0.event == command && $0.tag == tag }
    }

    /// The ticker's next line: it says one each second without being asked.
    func tick() async throws -> ClockSample {
        let clock = SystemClock()
        let last = records.last?.sequence ?? 0
        let askedAt = clock.now()
        let record = try await wait(for: "tick \(last + 1)") { $0.event == "tick" && $0.sequence > last }
        return ClockSample(record: record, askedAt: askedAt, answeredAt: clock.now())
    }

    func clocks(_ tag: String) async throws -> ClockSample {
        let clock = SystemClock()
        let askedAt = clock.now()
        let record = try await ask("clocks", tag)
        return ClockSample(record: record, askedAt: askedAt, answeredAt: clock.now())
    }
}
