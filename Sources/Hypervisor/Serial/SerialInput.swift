import Glibc
import HypervisorAPI
import Time

/// Types something into a serial port's socket, of which QEMU serves one connection at a time.
enum SerialInput {
    private static let usualPatience = Span.seconds(10)
    private static let shortestPause = Duration.microseconds(200)
    private static let longestPause = Duration.milliseconds(10)

    private enum Progress { case done, again, failed(Int32) }

    /// Returns when QEMU has read all of it.
    /// - Throws: `serial-unusable`, `serial-busy`.
    static func send(
        _ bytes: [UInt8],
        to path: String,
        of machine: String,
        patience: Span = usualPatience
    ) async throws(HypervisorError) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let connection = OwnedDescriptor(socket(AF_UNIX, kind, 0))
        let number = connection.number
        guard number >= 0 else { throw unusable(errno, machine) }
        let deadline = MonotonicDeadline(after: patience)
        // Full is the queue of those who wait to be served.
        try await wait(machine, deadline) {
            of(UNIXSocketAddress.with(path) { Glibc.connect(number, $0, $1) } == 0)
        }
        var rest = bytes[...]
        try await wait(machine, deadline) {
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count >= 0 else { return of(false) }
                rest = rest.dropFirst(count)
            }
            return .done
        }
        // It closes when it has read up to here, and what the guest says meanwhile is in the log.
        guard shutdown(number, Int32(SHUT_WR)) == 0 else { throw unusable(errno, machine) }
        var heard = [UInt8](repeating: 0, count: 4096)
        try await wait(machine, deadline) {
            while true {
                let count = recv(number, &heard, heard.count, 0)
                guard count > 0 else { return of(count == 0) }
            }
        }
        withExtendedLifetime(connection) {}
    }

    /// Tries until it is done. It blocks nobody, and has no thread of its own: a port may stay busy for long, and many may wait for it.
    private static func wait(
        _ machine: String,
        _ deadline: MonotonicDeadline,
        _ attempt: () -> Progress
    ) async throws(HypervisorError) {
        var pause = shortestPause
        while true {
            switch attempt() {
            case .done: return
            case .failed(let code): throw unusable(code, machine)
            case .again: break
            }
            guard !deadline.hasPassed else { throw busy(machine) }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw .cancelled
            }
            pause = min(pause * 2, longestPause)
        }
    }

    /// How a system call went that has just been made.
    private static func of(_ isDone: Bool) -> Progress {
        if isDone { return .done }
        return [EAGAIN, EINTR].contains(errno) ? .again : .failed(errno)
    }

    private static func unusable(_ code: Int32, _ machine: String) -> HypervisorError {
        HypervisorError(
            code: "serial-unusable",
            machine: machine,
            message:
                "the serial port's socket cannot be used (\(String(cString: strerror(code)))): does the machine still run?"
        )
    }

    private static func busy(_ machine: String) -> HypervisorError {
        HypervisorError(
            code: "serial-busy",
            machine: machine,
            message:
                "the serial port did not take all of it within ten seconds: somebody else is connected to its socket, or the guest hardly reads"
        )
    }
}
