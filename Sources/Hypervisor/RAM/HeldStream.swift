import CShims
import Glibc
import HypervisorAPI
import MigrationStream
import Synchronization

/// The way of a stream from QEMU into a file, and where it is wanted of RAM into another one, shut until the machine goes on or the length
/// of its pages is known.
///
/// QEMU writes RAM as soon as it has protected it, while other machines of the simulation are still at that, and takes the
/// processors from them. Here it fills a pipe and sleeps.
final class HeldStream: Sendable {
    private enum State {
        case shut(read: OwnedDescriptor)
        case open(Task<Outcome, Never>)
        case closed
    }

    private struct Outcome {
        /// Why not all of it is in the file.
        var failure: HypervisorError?
        var isSeparated = false
    }

    private let input: Mutex<OwnedDescriptor?>
    private let path: String
    private let file: OwnedDescriptor
    private let ram: SeparateRAM?
    private let pageSize = Mutex<Int?>(nil)
    private let state: Mutex<State>

    /// The most that an ordinary user may have in a pipe.
    private static let pipeSize: Int32 = 1 << 20
    /// F_SETPIPE_SZ of linux/fcntl.h, which does not reach Swift.
    private static let setPipeSize: Int32 = 1031

    /// - Parameters:
    ///   - path: where there is no file yet.
    ///   - ram: for the pages of the machine's memory; nil when they are to stay in the stream.
    ///   - isHeld: QEMU is to wait until it is opened; otherwise it should not have to.
    init(into path: String, ram: SeparateRAM? = nil, isHeld: Bool = true) throws(HypervisorError) {
        guard let pipe = OwnedDescriptor.pipe() else {
            throw HypervisorError(
                code: "file-failed",
                message: "no pipe for \(path): \(String(cString: strerror(errno)))"
            )
        }
        self.path = path
        self.ram = ram
        file = try StateFile.create(path)
        input = Mutex(pipe.write)
        if !isHeld { _ = fcntl(pipe.read.number, Self.setPipeSize, Self.pipeSize) }
        state = Mutex(.shut(read: pipe.read))
    }

    /// What QEMU is to write to; nil when it was taken before. The stream ends when nobody has it any more.
    func takeInput() -> OwnedDescriptor? {
        input.withLock { input in
            defer { input = nil }
            return input
        }
    }

    /// - Parameter pageSize: of the emulated machine, bytes. As long as it is not known all stays in the stream.
    func learn(pageSize: Int?) { self.pageSize.withLock { $0 = pageSize } }

    /// From now on what QEMU writes gets into the file.
    func open() {
        state.withLock { state in
            guard case .shut(let read) = state else { return }
            _ = fcntl(read.number, Self.setPipeSize, Self.pipeSize)
            let pageSize = pageSize.withLock(\.self) ?? 0
            state = .open(
                Task { [path, file, ram] () -> Outcome in
                    await BlockingThread.run {
                        guard let ram, RAMSeparator.knows(pageSize: pageSize) else {
                            ram?.remove()
                            return Self.move(from: read, to: file, at: path)
                        }
                        return Self.split(read, to: file, at: path, ram, pageSize)
                    }
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
    func failure() async -> HypervisorError? { await outcome?.failure }

    /// Whether the machine's memory is not in the stream. Waits like ``failure()``.
    func isSeparated() async -> Bool { await outcome?.isSeparated == true }

    private var outcome: Outcome? {
        get async {
            let task = state.withLock { state -> Task<Outcome, Never>? in
                guard case .open(let task) = state else { return nil }
                return task
            }
            return await task?.value
        }
    }

    /// The pipe is closed when it returns, so that QEMU fails rather than waits when there is no more room.
    private static func move(
        from pipe: OwnedDescriptor,
        to file: OwnedDescriptor,
        at path: String
    ) -> Outcome {
        while true {
            let moved = fermata_splice(pipe.number, file.number, Int(pipeSize))
            if moved == 0 { return Outcome() }
            if moved < 0, moved != -Int(EINTR) { return Outcome(failure: .file("write", path, Int32(-moved))) }
        }
    }

    /// As ``move(from:to:at:)``, with RAM into a file of its own.
    private static func split(
        _ pipe: OwnedDescriptor,
        to file: OwnedDescriptor,
        at path: String,
        _ ram: SeparateRAM,
        _ pageSize: Int
    ) -> Outcome {
        withExtendedLifetime(pipe) {
            var splitter = StreamSplitter(ram, pageSize: pageSize, path: path)
            do throws(HypervisorError) {
                return Outcome(isSeparated: try splitter.move(from: pipe.number, to: file.number))
            } catch {
                ram.remove()
                return Outcome(failure: error)
            }
        }
    }
}
