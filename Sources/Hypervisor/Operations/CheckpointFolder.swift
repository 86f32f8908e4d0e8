import FoundationEssentials
import Glibc
import HypervisorAPI

/// The folder of one checkpoint on this host while it is being made: `machines/NAME/` for each machine, `links/`.
/// A control instance of this host adds the manifest and gives the folder its final name; on others ``move(to:)`` does.
struct CheckpointFolder: Sendable {
    let path: String

    func statePath(of machine: String) -> String { "machines/\(machine)/state.qemu" }

    func ramPath(of machine: String) -> String { "machines/\(machine)/ram" }

    /// - Parameter final: what it will be called; nothing of an older one of that name may be left.
    func create(machines: [String], final: String? = nil) throws(HypervisorError) {
        for place in [path, final].compactMap(\.self) where access(place, F_OK) == 0 {
            throw HypervisorError(
                code: "checkpoint-exists",
                message:
                    "\(place) is there already: choose another name for the checkpoint, or remove what is left there"
            )
        }
        try RunFolder.make("\(path)/links")
        for machine in machines { try RunFolder.make("\(path)/machines/\(machine)") }
    }

    /// A volume that is too small is found before anything stops, not after. The folder need not be there yet.
    func refuseUnlessRoom(for bytes: UInt64) throws(HypervisorError) {
        var volume = statvfs()
        let there = access(path, F_OK) == 0 ? path : String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard statvfs(there, &volume) == 0 else { return }
        let free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
        guard free >= bytes else {
            throw HypervisorError(
                code: "no-space",
                message: "the checkpoint may take \(bytes >> 20) MiB and \(path) has \(free >> 20) MiB free"
            )
        }
    }

    /// With RAM that it owns, unless a machine uses it.
    func remove(_ store: RAMStore, sparing used: Set<String>) throws(HypervisorError) {
        for machine in FolderListing.names(in: "\(path)/machines") {
            let ram = "\(path)/\(ramPath(of: machine))"
            for link in [ram, ram + CheckpointRAM.warmSuffix] {
                guard let file = store.file(behind: link), !used.contains(file) else { continue }
                store.remove(link)
            }
        }
        try remove()
    }

    /// What was being made, with what no machine has of it in memory.
    func removeUnfinished(_ store: RAMStore) throws(HypervisorError) {
        for machine in FolderListing.names(in: "\(path)/machines") {
            store.remove("\(path)/\(ramPath(of: machine))" + CheckpointRAM.warmSuffix)
        }
        try remove()
    }

    func remove() throws(HypervisorError) {
        guard access(path, F_OK) == 0 else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw HypervisorError(code: "file-failed", message: "cannot remove \(path): \(error)")
        }
        try DurableFile.syncFolder(containing: path)
    }

    /// Gives it its final name, durably. Of no effect where that was done before, or where nothing of the checkpoint is.
    func move(to final: String) throws(HypervisorError) {
        guard access(path, F_OK) == 0 else { return }
        guard access(final, F_OK) != 0 else {
            throw HypervisorError(
                code: "checkpoint-exists",
                message: "\(path) cannot become \(final), which is there already"
            )
        }
        guard rename(path, final) == 0 else { throw HypervisorError.file("rename", path) }
        try DurableFile.syncFolder(containing: final)
        try DurableFile.syncFolder(containing: String(final[..<(final.lastIndex(of: "/") ?? final.startIndex)]))
    }

    /// ``sync()`` on a thread of its own: it may have gigabytes to write.
    func syncAll() async throws(HypervisorError) {
        try await BlockingThread.run { () -> Result<Void, HypervisorError> in
            do throws(HypervisorError) {
                return .success(try sync())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// Makes everything in it durable, files before the folders that name them.
    func sync() throws(HypervisorError) {
        let contents: [String]
        do {
            contents = try FileManager.default.subpathsOfDirectory(atPath: path)
        } catch {
            throw HypervisorError(code: "file-failed", message: "cannot list \(path) to sync it: \(error)")
        }
        for name in contents.sorted(by: >) { try syncOne("\(path)/\(name)") }
        try DurableFile.syncFolder(path)
    }

    private func syncOne(_ path: String) throws(HypervisorError) {
        // A link to RAM is as durable as its folder, and what it leads to is none of the checkpoint's yet.
        guard ProcFile.readLink(path) == nil else { return }
        let file = try StateFile.open(path)
        guard fsync(file.number) == 0 else {
            throw HypervisorError(
                code: "file-failed",
                message: "cannot sync \(path): \(String(cString: strerror(errno)))"
            )
        }
    }
}
