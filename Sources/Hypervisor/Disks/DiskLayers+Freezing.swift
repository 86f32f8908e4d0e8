import Glibc
import HypervisorAPI

extension DiskLayers {
    /// How a layer got into a checkpoint.
    enum FreezeWay: String, Codable, Hashable, Sendable {
        /// The same file under a second name: nothing moved.
        case link
        /// Shares blocks with the original until one of them is written.
        case reflink
        case copy
        /// It stays where it is: a read-only image, or an adopted machine's own on a file system that cannot share blocks.
        case inPlace
    }

    struct Frozen: Hashable, Sendable {
        var disk: FrozenDisk
        var way: FreezeWay
    }

    /// Puts a disk as it is now into a checkpoint's folder, synced. Its digest is told when the checkpoint is sealed.
    ///
    /// To be called while nothing writes the disk: after the machine has handed over its images (`postmigrate`). A layer that
    /// gets in as a link must never be written again: either its process ends, or (rollback) the checkpoint goes.
    /// - Parameter folder: the checkpoint's.
    /// - Parameter name: the layer's file name in it.
    func freeze(
        _ disk: MachineRecord.RunningDisk,
        into folder: String,
        as name: String
    ) async throws(HypervisorError) -> Frozen {
        let image = try await inspect(disk.path, format: disk.format)
        let backing = try await chain(of: image).map(\.path)
        let way: FreezeWay
        let path: String
        if disk.ownLayer {
            path = name
            way = try await BlockingThread.run { Self.place(disk.path, at: "\(folder)/\(name)") }.get()
            try DurableFile.syncFolder(folder)
        } else if disk.readOnly {
            (path, way) = (disk.path, .inPlace)
        } else {
            // Somebody's own image. Copying it would keep the machines standing for minutes; its digest tells later if it changed.
            let shared = await BlockingThread.run { FileCopy.reflink(from: disk.path, to: "\(folder)/\(name)") }
            (path, way) = shared ? (name, .reflink) : (disk.path, .inPlace)
            try DurableFile.syncFolder(folder)
        }
        let file = Self.absolute(path, in: folder)
        return Frozen(
            disk: FrozenDisk(
                id: disk.id,
                format: disk.format,
                file: CheckpointFile(role: .disk, path: path, bytes: try FileDigest.size(of: file), sha256: nil),
                backingFiles: backing
            ),
            way: way
        )
    }

    private static func place(_ source: String, at target: String) -> Result<FreezeWay, HypervisorError> {
        if link(source, target) == 0 {
            if let error = FileCopy.sync(target) { return .failure(error) }
            return .success(.link)
        }
        // Another file system, or one without links.
        return FileCopy.copyResult(from: source, to: target).map { $0 == .reflink ? .reflink : .copy }
    }
}
