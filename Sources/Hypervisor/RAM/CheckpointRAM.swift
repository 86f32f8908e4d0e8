import Glibc
import HypervisorAPI

/// A machine's RAM as a checkpoint has it: a file in its folder, or until it is sealed a link to where it lies.
struct CheckpointRAM: Sendable {
    let path: String
    let bytes: UInt64

    /// Beside one that is in its place: a link to the same in memory, for whoever comes first.
    static let warmSuffix = ".warm"
    /// Says that machines look at what is in memory.
    static let viewedSuffix = ".viewed"
    /// Says that a machine went on with the RAM itself, and the checkpoint can be resumed no more.
    static let takenSuffix = ".taken"
    /// Beside the link of a machine that took it, until it runs: where it came from.
    static let originSuffix = ".origin"

    /// - Throws: when there is nothing of that size, or the path leads somewhere else.
    func check(_ store: RAMStore) throws(HypervisorError) {
        do {
            try look(store)
        } catch {
            // Sealing may have put the file into the link's place while that was looked at, which it does once.
            guard isInPlace else { throw error }
            try look(store)
        }
    }

    private func look(_ store: RAMStore) throws(HypervisorError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            // The link alone: what it leads to is gone with the machine that took it.
            guard ProcFile.readLink(path + Self.takenSuffix) != nil else {
                throw HypervisorError(code: "checkpoint-corrupt", message: "\(path) is missing")
            }
            throw HypervisorError(
                code: "checkpoint-consumed",
                message: "its RAM was taken over by `resume --consume`: there is nothing left to go on from"
            )
        }
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let target = ProcFile.readLink(path), store.owns(target) else {
                throw HypervisorError(
                    code: "ram-elsewhere",
                    message:
                        "\(path) leads to \(ProcFile.readLink(path) ?? "nothing"), which is not in \(store.folder); "
                        + "\(RAMStore.setting) may have been changed since"
                )
            }
            guard stat(path, &status) == 0 else {
                throw HypervisorError(
                    code: store.isPresent ? "checkpoint-lost" : "ram-elsewhere",
                    message: "its RAM was in memory, not yet in the checkpoint, and is gone: \(target)"
                )
            }
        }
        guard status.st_mode & S_IFMT == S_IFREG, UInt64(clamping: status.st_size) == bytes else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                message: "\(path) has \(status.st_size) bytes; the checkpoint was made with \(bytes)"
            )
        }
    }

    /// Whether it lies in the checkpoint's folder.
    var isInPlace: Bool { ProcFile.readLink(path) == nil }

    /// - Parameter link: of the machine that gets RAM of its own.
    /// - Returns: the file that QEMU opens, and whether what it writes there is to be kept.
    func provide(
        _ use: RAMUse,
        ownedBy link: String,
        store: RAMStore
    ) async throws(HypervisorError) -> (path: String, shared: Bool) {
        try check(store)
        switch use {
        case .ephemeral:
            return (try view(ownedBy: link, store), false)
        case .consume:
            return (try await take(ownedBy: link, store), true)
        case .keep:
            if let warm = takeWarm(ownedBy: link, store) { return (warm, true) }
            guard let own = try await share(ownedBy: link, store) else {
                return (try view(ownedBy: link, store), false)
            }
            return (own, true)
        case .copy:
            if let warm = takeWarm(ownedBy: link, store) { return (warm, true) }
            let own = try store.create(bytes: bytes, ownedBy: link)
            _ = try await FileCopy.fill(own, from: path)
            return (own, true)
        }
    }

    /// The copy in memory of a sealed checkpoint: the first who comes has it.
    private func takeWarm(ownedBy link: String, _ store: RAMStore) -> String? {
        guard isInPlace else { return nil }
        return store.takeWarm(path + Self.warmSuffix, to: link, bytes: bytes, besides: path)
    }

    /// Pages that nobody has written to are the file's, also later: one that machines look at is nobody's to go on with.
    /// - Returns: the RAM in the checkpoint; of one that is not sealed a name of the machine's own for what is in memory, since the
    ///   checkpoint's may lead to the disk by the time that QEMU opens it.
    private func view(ownedBy link: String, _ store: RAMStore) throws(HypervisorError) -> String {
        guard !isInPlace else { return path }
        close(open(path + Self.viewedSuffix, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
        return try store.addName(to: path, bytes: bytes, ownedBy: link) ?? path
    }

    /// On a file system that shares blocks a copy costs nothing.
    private func share(ownedBy link: String, _ store: RAMStore) async throws(HypervisorError) -> String? {
        guard isInPlace else { return nil }
        // Looked at before a file is made: in a tmpfs it cannot be.
        guard FileCopy.sameVolume(path, store.folder) else { return nil }
        let own = try store.create(bytes: bytes, ownedBy: link)
        if await BlockingThread.run({ FileCopy.reflink(from: path, over: own) }) { return own }
        store.remove(link)
        return nil
    }

    /// The checkpoint's own goes over to the machine, and back by ``giveBack(from:_:)`` if that never runs.
    private func take(ownedBy link: String, _ store: RAMStore) async throws(HypervisorError) -> String {
        try RAMStore.point(link + Self.originSuffix, to: path)
        let own = try store.exclusively { () throws(HypervisorError) in
            try RAMStore.point(path + Self.takenSuffix, to: link)
            return try takeLink(to: link, store)
        }
        if let own { return own }
        return try await takeFile(ownedBy: link, store)
    }

    /// - Returns: nil when the RAM is in its place, also when it came there just now.
    private func takeLink(to link: String, _ store: RAMStore) throws(HypervisorError) -> String? {
        guard !isInPlace else { return nil }
        guard rename(path, link) == 0 else { throw HypervisorError.file("take", path) }
        if let own = store.file(behind: link, bytes: bytes) { return own }
        // Sealing was first by a moment, so this is the file itself.
        guard ProcFile.readLink(link) == nil, rename(link, path) == 0 else { throw HypervisorError.file("take", path) }
        return nil
    }

    private func takeFile(ownedBy link: String, _ store: RAMStore) async throws(HypervisorError) -> String {
        try RunFolder.make(store.diskFolder)
        let own = store.newPath(in: store.diskFolder)
        try RAMStore.point(link, to: own)
        // Each name is durable before the one that it replaces goes: after a loss of power the RAM has one of them, and who has no
        // right to it is not its owner.
        try DurableFile.syncFolder(containing: link)
        var status = stat()
        guard lstat(path, &status) == 0 else { throw HypervisorError.file("take", path) }
        if status.st_nlink > 1 {
            // Another checkpoint, one whose clocks were edited, has the same file.
            _ = try await FileCopy.copy(from: path, to: own)
            try DurableFile.syncFolder(store.diskFolder)
            guard unlink(path) == 0 else { throw HypervisorError.file("take", path) }
        } else {
            guard rename(path, own) == 0 else { throw HypervisorError.file("take", path) }
        }
        try DurableFile.syncFolder(store.diskFolder)
        // Or the checkpoint would have its RAM again, as the machine has changed it.
        try DurableFile.syncFolder(containing: path)
        store.remove(path + Self.warmSuffix)
        return own
    }

    /// Undoes ``take(ownedBy:_:)`` for a machine that has not written a byte of it; of RAM that was not taken, nothing.
    static func giveBack(from link: String, _ store: RAMStore) {
        guard let origin = ProcFile.readLink(link + originSuffix) else { return }
        var status = stat()
        if lstat(origin, &status) != 0 {
            // What is no link is the RAM itself: whoever took it ended before it was put back.
            let own = store.file(behind: link)
            let isOnDisk = own?.hasPrefix(store.diskFolder + "/") == true
            if let own, isOnDisk {
                rename(own, origin)
            } else if own != nil || ProcFile.readLink(link) == nil {
                rename(link, origin)
            }
        }
        unlink(link)
        unlink(link + originSuffix)
        unlink(origin + takenSuffix)
    }
}
