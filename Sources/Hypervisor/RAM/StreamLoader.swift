import CShims
import Glibc
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// The classic stream through a socket: everything up to the devices goes early, the tail waits for its patches.
///
/// QEMU reads as much as there is and then waits, in state `inmigrate`, for as long as it takes.
actor StreamLoader: StateLoader {
    private static let descriptorName = "fermata-state"
    private static let chunk = 1 << 20
    /// Without any progress QEMU hangs.
    private static let stallTime = Span.seconds(60)

    nonisolated let finishTime = Span.milliseconds(100)

    private let state: StoredState
    private let monitor: QMPConnection
    private var ours: OwnedDescriptor?
    private var events: QMPEvents?

    init(state: StoredState, monitor: QMPConnection) {
        self.state = state
        self.monitor = monitor
    }

    func preload() async throws(HypervisorError) {
        let (ours, theirs) = try Self.socketPair()
        events = monitor.events()
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: false)
            try await monitor.getfd(name: Self.descriptorName, descriptor: theirs.number)
            try await monitor.migrateIncoming(uri: "fd:\(Self.descriptorName)")
        } catch {
            throw HypervisorError(error)
        }
        self.ours = ours
        let state = state
        let end = state.stream.deviceStateOffset
        try await Self.onThread { () throws(HypervisorError) in
            var offset: UInt64 = 0
            while offset < end {
                let count = Int(min(UInt64(Self.chunk), end - offset))
                try Self.send(state.bytes(at: offset, count: count), to: ours)
                offset += UInt64(count)
            }
        }
    }

    func finish(_ patches: PatchSet) async throws(HypervisorError) {
        guard let ours, let events else {
            throw HypervisorError(code: "internal", message: "the state's first part was not loaded")
        }
        var tail = try state.tail()
        do throws(StreamError) {
            try patches.apply(to: &tail, bufferOffset: state.stream.deviceStateOffset)
        } catch {
            throw HypervisorError(code: "patch-refused", message: "\(state.path): \(error)")
        }
        let patched = tail
        try await Self.onThread { () throws(HypervisorError) in
            try Self.send(patched, to: ours)
            shutdown(ours.number, Int32(SHUT_WR))
        }
        self.ours = nil
        try await monitor.migrationEnd(in: events, within: Self.stallTime)
        try await monitor.settle(into: [.paused, .preLaunch], within: .seconds(10))
    }

    private static func onThread(
        _ body: @escaping @Sendable () throws(HypervisorError) -> Void
    ) async throws(HypervisorError) {
        let failure: HypervisorError? = await BlockingThread.run {
            do throws(HypervisorError) {
                try body()
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private static func send(_ bytes: [UInt8], to socket: OwnedDescriptor) throws(HypervisorError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw HypervisorError(
                    code: "load-failed",
                    message: errno == EAGAIN
                        ? "QEMU has not read its state for \(stallTime)"
                        : "QEMU closed its state's socket: it refuses the state or has ended"
                )
            }
            sent += count
        }
    }

    private static func socketPair() throws(HypervisorError) -> (ours: OwnedDescriptor, theirs: OwnedDescriptor) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw HypervisorError(
                code: "load-failed",
                message: "no socket pair to be had: \(String(cString: strerror(errno)))"
            )
        }
        var limit = timeval(tv_sec: Int(stallTime.nanoseconds / 1_000_000_000), tv_usec: 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return (OwnedDescriptor(ends[0]), OwnedDescriptor(ends[1]))
    }
}
