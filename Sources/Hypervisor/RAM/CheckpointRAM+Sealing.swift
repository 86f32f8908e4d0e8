import Glibc
import HypervisorAPI

extension CheckpointRAM {
    private static let unfinished = ".copy"

    /// Brings the RAM into the checkpoint's folder, durably, unless it is there already.
    /// - Parameter isStopped: asked every megabyte.
    /// - Returns: its digest.
    /// - Throws: `checkpoint-lost` when it is nowhere; `cancelled`. The checkpoint is as before then.
    func seal(_ store: RAMStore, isStopped: @escaping @Sendable () -> Bool) async throws(HypervisorError) -> String {
        try check(store)
        let warm = path + Self.warmSuffix
        guard let source = ProcFile.readLink(path) else {
            settle(warm, store)
            let digest = try await RAMDigest.of(path, isStopped: isStopped)
            guard ProcFile.readLink(path + Self.takenSuffix) == nil else { throw taken }
            return digest
        }
        let copy = path + Self.unfinished
        let digest: String
        if FileCopy.sameVolume(source, folder) {
            unlink(copy)
            guard link(source, copy) == 0 else { throw HypervisorError.file("link", copy) }
            digest = try await RAMDigest.of(copy, isStopped: isStopped)
            if let error = FileCopy.sync(copy) { throw error }
        } else {
            digest = try await BlockingThread.run {
                Background.yieldProcessor()
                return Self.copy(source, to: copy, isStopped)
            }.get()
        }
        try store.exclusively { () throws(HypervisorError) in
            guard ProcFile.readLink(path) == source, ProcFile.readLink(path + Self.takenSuffix) == nil else {
                unlink(copy)
                throw taken
            }
            // Before the link that leads to it is replaced, or nobody would know of it after a crash.
            try RAMStore.point(warm, to: source)
            guard rename(copy, path) == 0 else {
                throw HypervisorError.file("replace", path)
            }
        }
        try DurableFile.syncFolder(folder)
        settle(warm, store)
        return digest
    }

    private var taken: HypervisorError {
        HypervisorError(code: "checkpoint-consumed", message: "\(path) was taken by a machine meanwhile")
    }

    /// What was in memory stays there as long as there is plenty of it, for a resume to go on with.
    private func settle(_ warm: String, _ store: RAMStore) {
        guard access(path + Self.viewedSuffix, F_OK) != 0 else {
            store.remove(warm)
            return
        }
        guard let file = store.file(behind: warm, bytes: bytes) else {
            unlink(warm)
            return
        }
        if store.hasPlenty(), !FileCopy.sameVolume(file, path) {
            store.keepWarm(warm)
        } else {
            store.remove(warm)
        }
    }

    private var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }

    private static func copy(
        _ source: String,
        to target: String,
        _ isStopped: () -> Bool
    ) -> Result<String, HypervisorError> {
        let input = OwnedDescriptor(open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW))
        guard input.number >= 0 else { return .failure(HypervisorError.file("read", source)) }
        // What a killed daemon left is written over; what another one is writing is not.
        let output = OwnedDescriptor(open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600))
        guard output.number >= 0, flock(output.number, LOCK_EX | LOCK_NB) == 0, ftruncate(output.number, 0) == 0 else {
            return .failure(HypervisorError.file("write", target))
        }
        return withExtendedLifetime((input, output)) {
            var digest = RAMDigest()
            var status = stat()
            var error = fstat(input.number, &status) == 0 && ftruncate(output.number, status.st_size) == 0 ? nil : errno
            error =
                error
                ?? FileExtents.walk(
                    input.number,
                    hole: { _ in },
                    data: { bytes, start in
                        guard !isStopped() else { return ECANCELED }
                        return SparsePages.forEachRun(in: bytes) { run, offset in
                            digest.update(run, at: UInt64(start) + UInt64(offset))
                            return FileExtents.write(run, to: output.number, at: start + off_t(offset))
                        }
                    }
                )
            if error == nil, fsync(output.number) != 0 { error = errno }
            guard let error else { return .success(digest.hex(length: UInt64(clamping: status.st_size))) }
            unlink(target)
            guard error != ECANCELED else {
                return .failure(.cancelled)
            }
            return .failure(HypervisorError.file("copy \(source) to", target, error))
        }
    }
}
