import CShims
import Glibc
import HypervisorAPI
import Synchronization

/// The way of a stream from QEMU into a file, shut until the machine goes on.
///
/// QEMU writes RAM as soon as it has protected it, while other machines of the simulation are still at that, and takes the
/// processors from them. Here it fills a pipe and sleeps.
final class HeldStream: Sendable {
    private enum State {
        case shut(read: OwnedDescriptor)
        case open(Task<HypervisorError?, Never>)
        case closed
    }

    private let input: Mutex<OwnedDescriptor?>
    private let path: String
    private let file: OwnedDescriptor
    private let state: Mutex<State>

    /// The most that an ordinary user may have in a pipe.
    private static let pipeSize: Int32 = 1 << 20
    /// F_SETPIPE_SZ of linux/fcntl.h, which does not reach Swift.
    private static let setPipeSize: Int32 = 1031

    /// - Parameter path: where there is no file yet.
    init(into path: String) throws(HypervisorError) {
        guard let pipe = OwnedDescriptor.pipe() else {
            throw HypervisorError(
                code: "file-failed",
                message: "no pipe for \(path): \(String(cString: strerror(errno)))"
            )
        }
        self.path = path
        file = try StateFile.create(path)
        input = Mutex(pipe.write)
        state = Mutex(.shut(read: pipe.read))
    }

    /// What QEMU is to write to; nil when it was taken before. The stream ends when nobody has it any more.
    func takeInput() -> OwnedDescriptor? {
        input.withLock { input in
            defer { input = nil }
            return input
        }
    }

    /// From now on what QEMU writes gets into the file.
    func open() {
        state.withLock { state in
            guard case .shut(let read) = state else { return }
            _ = fcntl(read.number, Self.setPipeSize, Self.pipeSize)
            state = .open(
                Task { [path, file] () -> HypervisorError? in
                    await BlockingThread.run { Self.move(from: read, to: file, at: path) }
                }
            )
        }
    }

    /// QEMU cannot write any more unless ``open()`` was called: its save fails, and it takes the protection from its RAM.
    func close() {
        state.withLock { state in
            if case .shut = state { state = .closed }
        }
    }

    /// Waits until QEMU has closed its end.
    /// - Returns: why not all of it is in the file.
    func failure() async -> HypervisorError? {
        let task = state.withLock { state -> Task<HypervisorError?, Never>? in
            guard case .open(let task) = state else { return nil }
            return task
        }
        return await task?.value
    }

    /// The pipe is closed when it returns, so that QEMU fails rather than waits when there is no more room.
    private static func move(
        from pipe: OwnedDescriptor,
        to file: OwnedDescriptor,
        at path: String
    ) -> HypervisorError? {
        while true {
            let moved = fermata_splice(pipe.number, file.number, Int(pipeSize))
            if moved == 0 { return nil }
            if moved < 0, moved != -Int(EINTR) {
                return HypervisorError(
                    code: "file-failed",
                    message: "cannot write \(path): \(String(cString: strerror(Int32(-moved))))"
                )
            }
        }
    }
}
