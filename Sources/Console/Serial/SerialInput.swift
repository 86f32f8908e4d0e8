import NIOCore
import NIOPosix
import Synchronization

/// Types something into a serial port.
enum SerialInput {
    private static let patience: TimeAmount = .seconds(10)

    /// Returns when QEMU has read all of it.
    /// - Throws: ``Problem`` `serial-unusable`, `serial-busy`.
    static func send(_ bytes: [UInt8], to socket: String) async throws {
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(patience)
                .connect(unixDomainSocketPath: socket)
                .get()
        } catch {
            throw Problem.serialUnusable("\(error)")
        }
        let isLate = Mutex(false)
        let timer = channel.eventLoop.scheduleTask(in: patience) {
            isLate.withLock { $0 = true }
            channel.close(promise: nil)
        }
        defer { timer.cancel() }
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
            // It closes when it has read up to here, and what the guest says meanwhile is in the log.
            try await channel.close(mode: .output).get()
            try await channel.closeFuture.get()
        } catch {
            channel.close(promise: nil)
            if !isLate.withLock({ $0 }) { throw Problem.serialUnusable("\(error)") }
        }
        if isLate.withLock({ $0 }) { throw Problem.serialBusy }
    }
}
