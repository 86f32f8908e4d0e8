import Glibc
import HypervisorAPI

/// The RAM of a machine whose state is written as a stream, in a file of the checkpoint: a resume looks at it there, at once, and
/// need not be sent it.
///
/// Where there is plenty of memory it is written there, too, for the first resume to go on with.
struct SeparateRAM: Sendable {
    let memory: MachineRecord.Memory
    let path: String
    let file: OwnedDescriptor
    /// In memory.
    let second: OwnedDescriptor?
    private let store: RAMStore

    /// - Parameter path: in the checkpoint's folder, where there is no file yet.
    init(of memory: MachineRecord.Memory, at path: String, store: RAMStore) throws(HypervisorError) {
        self.memory = memory
        self.path = path
        self.store = store
        file = try StateFile.create(path)
        guard let size = off_t(exactly: memory.bytes), ftruncate(file.number, size) == 0 else {
            throw .file("size", path)
        }
        second = Self.second(beside: path, bytes: memory.bytes, store)
    }

    private static func second(beside path: String, bytes: UInt64, _ store: RAMStore) -> OwnedDescriptor? {
        guard store.hasPlenty(besides: bytes),
            let own = try? store.create(bytes: bytes, ownedBy: path + CheckpointRAM.warmSuffix)
        else { return nil }
        return try? StateFile.open(own, O_WRONLY)
    }

    /// All of it is written.
    /// - Parameter isWhole: of the second.
    func keep(second isWhole: Bool) {
        let warm = path + CheckpointRAM.warmSuffix
        if isWhole { store.keepWarm(warm) } else { store.remove(warm) }
    }

    /// Nothing is left of it.
    func remove() {
        store.remove(path + CheckpointRAM.warmSuffix)
        unlink(path)
    }
}
