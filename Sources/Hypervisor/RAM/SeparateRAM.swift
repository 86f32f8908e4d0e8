import Glibc
import HypervisorAPI
import Synchronization

/// The RAM of a machine whose state is written as a stream, in a file of the checkpoint: a resume looks at it there, at once, and
/// need not be sent it.
///
/// Where there is plenty of memory it is written there, too, for the first resume to go on with.
final class SeparateRAM: Sendable {
    let memory: MachineRecord.Memory
    let path: String
    let file: OwnedDescriptor
    private let store: RAMStore?
    private let second = Mutex<OwnedDescriptor?>(nil)

    private var warm: String { path + CheckpointRAM.warmSuffix }

    /// - Parameters:
    ///   - path: in the checkpoint's folder, where there is no file yet.
    ///   - store: for the second copy; nil when none is wanted.
    /// - Returns: nil when there can be no file so large.
    init?(of memory: MachineRecord.Memory, at path: String, second store: RAMStore?) {
        guard let file = try? StateFile.create(path) else { return nil }
        guard let size = off_t(exactly: memory.bytes), ftruncate(file.number, size) == 0 else {
            unlink(path)
            return nil
        }
        self.memory = memory
        self.path = path
        self.file = file
        self.store = store
    }

    /// Makes room for the second copy, if there is plenty.
    /// - Returns: where to write it.
    func begin() -> Int32? {
        guard let store, !FileCopy.sameVolume(path, store.root),
            let own = store.createSpare(bytes: memory.bytes, ownedBy: warm),
            let descriptor = try? StateFile.open(own, O_WRONLY)
        else { return nil }
        second.withLock { $0 = descriptor }
        return descriptor.number
    }

    /// All of it is written.
    /// - Parameter isWhole: of the second copy.
    func end(second isWhole: Bool) {
        // Open it would take its room for as long as the operation.
        second.withLock { $0 = nil }
        if isWhole { store?.keepWarm(warm) } else { store?.remove(warm) }
    }

    /// Nothing is left of it.
    func remove() {
        end(second: false)
        unlink(path)
    }
}
