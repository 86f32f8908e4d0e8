import FoundationEssentials
import Glibc
import HypervisorAPI
import Time

/// The folder that a checkpoint's part comes into from another host: `NAME.partial.arriving`, beside what it is to be.
///
/// Whoever writes in it holds a lock on it, and so does who takes it away: no write that began before is still under way then.
struct ArrivalFolder: Sendable {
    /// Nothing comes any more, or asks again, after so long.
    static let forsaken = Span.seconds(3600)
    /// What a volume keeps free of what comes from elsewhere: machines that run on it write, too.
    private static let mostSpare: UInt64 = 1 << 30

    let path: String
    /// What it becomes.
    let partial: String

    /// nil: it is another kind of folder.
    init?(_ path: String) {
        guard let partial = ArrivalName.partial(of: path) else { return nil }
        self.path = path
        self.partial = partial
    }

    /// - Parameter partial: a checkpoint's that is not whole yet; nil: it is another kind of folder.
    init?(becoming partial: String) { self.init(ArrivalName.arriving(partial)) }

    private var final: String { String(partial.dropLast(ArrivalName.partial.count)) }

    func write(_ piece: FilePiece, to place: FilePlace) async throws(HypervisorError) {
        try await BlockingThread.run {
            Result { () throws(HypervisorError) in
                let lock = try hold(LOCK_SH, creating: true)
                defer { withExtendedLifetime(lock) {} }
                try refuseUnlessFree()
                try refuseUnlessRoom(for: UInt64(piece.bytes.count), in: lock)
                try PlacedFile.put(piece, to: place)
            }
        }.get()
    }

    /// Copies a file that this host can read already, over what may have come of it.
    /// - Returns: false when it is not there, or of another size, or cannot be read.
    func copy(_ source: FilePlace, bytes: UInt64, to place: FilePlace) async throws(HypervisorError) -> Bool {
        try await BlockingThread.run {
            Result { () throws(HypervisorError) in
                guard let file = PlacedFile.readable(source, bytes: bytes) else { return false }
                let lock = try hold(LOCK_SH, creating: true)
                defer { withExtendedLifetime(lock) {} }
                try refuseUnlessFree()
                if try PlacedFile.reflink(file, to: place) { return true }
                try refuseUnlessRoom(for: PlacedFile.room(of: file), in: lock)
                return try PlacedFile.copy(file, to: place)
            }
        }.get()
    }

    /// Takes all of it away from who writes it.
    /// - Returns: where it is now.
    func take() async throws(HypervisorError) -> String {
        try await locked { () throws(HypervisorError) in
            try refuseUnlessFree()
            guard rename(path, partial) == 0 else { throw .file("rename", path) }
            return partial
        }
    }

    /// Takes files of it away from who writes it, to what is made of the same checkpoint already; the others go.
    func take(_ files: [CheckpointFile]) async throws(HypervisorError) -> String {
        try await locked { () throws(HypervisorError) in
            guard access(final, F_OK) != 0 else { throw taken(final) }
            let (source, target) = (CheckpointFolder(path: path), CheckpointFolder(path: partial))
            for file in files {
                let (from, to) = (try source.file(file.path), try target.file(file.path))
                var status = stat()
                guard lstat(to, &status) != 0 else { throw taken(to) }
                guard lstat(from, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                    throw HypervisorError(code: "archive-corrupt", message: "\(file.path) did not come")
                }
                try RunFolder.make(String(to[..<(to.lastIndex(of: "/") ?? to.endIndex)]))
                guard rename(from, to) == 0 else { throw .file("rename", from) }
            }
            try source.remove()
            return partial
        }
    }

    private func locked(
        _ body: @escaping @Sendable () throws(HypervisorError) -> String
    ) async throws(HypervisorError) -> String {
        try await BlockingThread.run {
            Result { () throws(HypervisorError) in
                let lock = try hold(LOCK_EX, creating: false)
                defer { withExtendedLifetime(lock) {} }
                return try body()
            }
        }.get()
    }

    /// - Throws: `checkpoint-exists`: what is there is never written over.
    private func refuseUnlessFree() throws(HypervisorError) {
        for place in [final, partial] where access(place, F_OK) == 0 { throw taken(place) }
    }

    private func taken(_ place: String) -> HypervisorError {
        HypervisorError(
            code: "checkpoint-exists",
            message: "\(place) is there already: choose another name for what comes, or remove what is left there"
        )
    }

    private func refuseUnlessRoom(for bytes: UInt64, in folder: OwnedDescriptor) throws(HypervisorError) {
        var volume = statvfs()
        guard fstatvfs(folder.number, &volume) == 0 else { return }
        let unit = UInt64(volume.f_frsize)
        let (free, whole) = (UInt64(volume.f_bavail) &* unit, UInt64(volume.f_blocks) &* unit)
        let spare = min(Self.mostSpare, whole / 100)
        guard free >= bytes &+ spare else {
            throw HypervisorError(
                code: "no-space",
                message: "\(path) has \(free >> 20) MiB free, of which \(spare >> 20) MiB stay so: make some"
            )
        }
    }

    /// - Returns: the folder, locked, and still in its place.
    private func hold(_ kind: Int32, creating: Bool) throws(HypervisorError) -> OwnedDescriptor {
        while true {
            if creating { try RunFolder.make(path) }
            let folder = OwnedDescriptor(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
            guard folder.number >= 0 else { throw .file("open", path) }
            while flock(folder.number, kind) != 0 { guard errno == EINTR else { throw .file("lock", path) } }
            var (held, there) = (stat(), stat())
            guard fstat(folder.number, &held) == 0 else { throw .file("read", path) }
            // While this was waited for, it may have been taken away or removed.
            if lstat(path, &there) == 0, held.st_ino == there.st_ino, held.st_dev == there.st_dev { return folder }
        }
    }

    // MARK: - What nobody sends any more

    /// All below a folder of checkpoints in which nothing was written for so long.
    static func forsaken(below checkpoints: String, for quiet: Span = forsaken) -> [ArrivalFolder] {
        let limit = time(nil) - Int(quiet.nanoseconds / 1_000_000_000)
        return FolderListing.names(in: checkpoints).flatMap { simulation in
            FolderListing.names(in: "\(checkpoints)/\(simulation)").compactMap { name in
                ArrivalFolder("\(checkpoints)/\(simulation)/\(name)")
            }
        }.filter { $0.lastWritten < limit }
    }

    /// Seconds since the epoch.
    private var lastWritten: time_t {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return ([path] + names.map { "\(path)/\($0)" }).reduce(0) { latest, file in
            var status = stat()
            return lstat(file, &status) == 0 ? max(latest, status.st_mtim.tv_sec) : latest
        }
    }
}

extension CheckpointFolder {
    /// - Throws: `archive-corrupt` for whatever is in it besides the files that it is said to have.
    func refuseUnlisted(_ files: [CheckpointFile]) throws(HypervisorError) {
        let known = Set(files.map(\.path))
        let found: [String]
        do {
            found = try FileManager.default.subpathsOfDirectory(atPath: path)
        } catch {
            throw HypervisorError(code: "file-failed", message: "cannot list \(path): \(error)")
        }
        for name in found.sorted() where !known.contains(name) {
            var status = stat()
            guard lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw HypervisorError(
                    code: "archive-corrupt",
                    message: "\(name.prefix(200)) came along, and no machine has such a file"
                )
            }
        }
        for file in files {
            var status = stat()
            guard lstat(try self.file(file.path), &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                UInt64(clamping: status.st_size) == file.bytes
            else {
                throw HypervisorError(
                    code: "archive-corrupt",
                    message: "\(file.path) did not come, or not as large as it was"
                )
            }
        }
    }
}
