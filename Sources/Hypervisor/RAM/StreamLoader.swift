import CShims
import Glibc
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// The classic stream through a socket: everything up to the devices goes early, the tail waits for its patches. Before that,
/// the whole file is known to be what was saved.
///
/// QEMU reads as much as there is and then waits, in state `inmigrate`, for as long as it takes.
actor StreamLoader: StateLoader {
    private static let descriptorName = "fermata-state"
    private static let chunk = 4 << 20
    /// Without any progress QEMU hangs.
    private static let stallTime = Span.seconds(60)
    /// From QEMU's end of the socket closing to its word on why.
    private static let lastWords = Span.seconds(2)

    /// What is left is the devices' state, in the memory of both: what that takes, ``ArmingPace`` knows.
    nonisolated let finishTime = Span.zero

    private let state: StoredState
    private let monitor: QMPConnection
    private let sharedLeftOut: Bool
    private var ours: OwnedDescriptor?
    private var events: QMPEvents?
    /// As it is on disk: the bytes that were digested are the ones that are patched and sent.
    private var tail: [UInt8] = []

    /// - Parameter sharedLeftOut: QEMU wrote it so, and has to read it so.
    init(state: StoredState, monitor: QMPConnection, sharedLeftOut: Bool = false) {
        self.sharedLeftOut = sharedLeftOut
        self.state = state
        self.monitor = monitor
    }

    func preload() async throws(HypervisorError) {
        let events = monitor.events()
        let ours = try await handOver()
        self.events = events
        self.ours = ours
        let (tail, refusal) = try await sendRAM(to: ours)
        if let refusal { throw await reason(behind: refusal, events) }
        self.tail = tail
    }

    /// What QEMU thinks of its state, if it has told before it hung up.
    private func reason(behind refusal: HypervisorError, _ events: QMPEvents) async -> HypervisorError {
        do throws(HypervisorError) {
            try await monitor.migrationEnd(in: events, within: Self.lastWords)
            return refusal
        } catch {
            return error.reasons.contains { $0.code == "migration-stalled" } ? refusal : error
        }
    }

    /// Gives QEMU its end of a socket. Nobody else has it then: when QEMU ends, ours is told.
    /// - Returns: our end.
    private func handOver() async throws(HypervisorError) -> OwnedDescriptor {
        let (ours, theirs) = try Self.socketPair()
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: false, sharedLeftOut: sharedLeftOut)
            try await monitor.getfd(name: Self.descriptorName, descriptor: theirs.number)
            try await monitor.migrateIncoming(uri: "fd:\(Self.descriptorName)")
        } catch {
            throw HypervisorError(error)
        }
        return withExtendedLifetime(theirs) { ours }
    }

    /// Digests the whole file on the way, each piece beside its sending. When QEMU hangs up, what is left is still read: damage
    /// explains why it did.
    /// - Returns: the tail, not sent, and why the rest was not.
    /// - Throws: when the file is not the one that was saved.
    private func sendRAM(
        to socket: OwnedDescriptor
    ) async throws(HypervisorError) -> (tail: [UInt8], refusal: HypervisorError?) {
        let state = state
        var digest = RunningDigest()
        var refusal: HypervisorError?
        var offset: UInt64 = 0
        var piece = try await Self.onThread { () throws(HypervisorError) in try Self.piece(of: state, at: 0) }
        while !piece.isEmpty {
            offset += UInt64(piece.count)
            let (sending, next, refused) = (piece, offset, refusal)
            async let sent = BlockingThread.run { Self.send(sending, of: state, to: socket, then: next, refused) }
            digest.update(piece)
            (piece, refusal) = try await sent.get()
        }
        let tail = try await Self.onThread { () throws(HypervisorError) in try state.tail() }
        digest.update(tail)
        try state.refuseUnless(digest.hex)
        return (tail, refusal)
    }

    /// - Returns: the next piece, and why QEMU does not take it.
    private static func send(
        _ piece: [UInt8],
        of state: StoredState,
        to socket: OwnedDescriptor,
        then offset: UInt64,
        _ refused: HypervisorError?
    ) -> Result<([UInt8], HypervisorError?), HypervisorError> {
        var refusal = refused
        if refusal == nil {
            do throws(HypervisorError) {
                try send(piece, to: socket)
            } catch {
                refusal = error
            }
        }
        do throws(HypervisorError) {
            return .success((try Self.piece(of: state, at: offset), refusal))
        } catch {
            return .failure(error)
        }
    }

    /// Of what lies before the tail; empty at its end.
    private static func piece(of state: StoredState, at offset: UInt64) throws(HypervisorError) -> [UInt8] {
        try state.bytes(at: offset, count: Int(min(UInt64(chunk), state.stream.deviceStateOffset - offset)))
    }

    func finish(_ patches: PatchSet) async throws(HypervisorError) {
        guard let ours, let events else {
            throw HypervisorError(code: "internal", message: "the state's first part was not loaded")
        }
        var tail = tail
        do throws(StreamError) {
            try patches.apply(to: &tail, bufferOffset: state.stream.deviceStateOffset)
        } catch {
            throw HypervisorError(code: "patch-refused", message: "\(state.path): \(error)")
        }
        let patched = tail
        do throws(HypervisorError) {
            try await Self.onThread { () throws(HypervisorError) in
                try Self.send(patched, to: ours)
                shutdown(ours.number, Int32(SHUT_WR))
            }
        } catch {
            throw await reason(behind: error, events)
        }
        self.ours = nil
        try await monitor.migrationEnd(in: events, within: Self.stallTime)
        try await monitor.settle(into: [.paused, .preLaunch], within: .seconds(10))
    }

    private static func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws(HypervisorError) -> Value
    ) async throws(HypervisorError) -> Value {
        try await BlockingThread.run { () -> Result<Value, HypervisorError> in
            do throws(HypervisorError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }.get()
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
