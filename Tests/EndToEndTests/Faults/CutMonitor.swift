import Glibc
import Synchronization

/// Between a client and a real QEMU's monitor: passes on what both say, and hangs up on the client after some of QEMU's answers.
final class CutMonitor: Sendable {
    private let listener: Int32
    private let hasStopped = Atomic(false)

    /// - Parameter answers: how many of QEMU's lines come through, its greeting apart; instead of the next one it hangs up.
    init(at path: String, before monitor: String, after answers: Int) throws {
        let listener = try Self.listen(at: path)
        self.listener = listener
        let hasStopped = { @Sendable [weak self] in self?.hasStopped.load(ordering: .relaxed) ?? true }
        Task.detached {
            while !hasStopped() {
                let client = accept(listener, nil, nil)
                if client >= 0 {
                    await Self.serve(client, monitor, lines: answers + 1, hasStopped)
                    close(client)
                } else {
                    try? await Task.sleep(for: .milliseconds(2))
                }
            }
        }
    }

    deinit { close(listener) }

    func stop() { hasStopped.store(true, ordering: .relaxed) }

    private static func serve(
        _ client: Int32,
        _ monitor: String,
        lines: Int,
        _ hasStopped: @Sendable () -> Bool
    ) async {
        guard let qemu = try? MonitorProbe.connection(to: monitor) else { return }
        defer { close(qemu) }
        var left = lines
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !hasStopped() {
            var isQuiet = true
            for (from, to) in [(client, qemu), (qemu, client)] {
                var count = recv(from, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 { return }
                guard count > 0 else { continue }
                isQuiet = false
                if from == qemu {
                    if left == 0 { return }
                    for (index, byte) in buffer.prefix(count).enumerated() where byte == UInt8(ascii: "\n") && left > 0
                    {
                        left -= 1
                        if left == 0 { count = index + 1 }
                    }
                }
                guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
            if isQuiet { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    private static func listen(at path: String) throws -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let listener = socket(AF_UNIX, type, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard listener >= 0, bound == 0, Glibc.listen(listener, 16) == 0 else {
            throw CLIError("no socket at \(path): errno \(errno)")
        }
        return listener
    }
}
