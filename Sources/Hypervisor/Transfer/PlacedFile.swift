import Glibc
import HypervisorAPI

/// Files that somebody else names: no link is followed, and nothing leads out of their folder.
enum PlacedFile {
    static func read(_ place: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        try await BlockingThread.run { Result { () throws(HypervisorError) in try piece(of: place, from: offset) } }
            .get()
    }

    /// Pages of zeros stay holes.
    static func write(_ piece: FilePiece, to place: FilePlace) async throws(HypervisorError) {
        try await BlockingThread.run { Result { () throws(HypervisorError) in try put(piece, to: place) } }.get()
    }

    private static func piece(of place: FilePlace, from offset: UInt64) throws(HypervisorError) -> FilePiece {
        let file: OwnedDescriptor
        let size: UInt64
        do throws(HypervisorError) {
            (file, size) = try open(place, O_RDONLY)
        } catch {
            throw HypervisorError(code: "checkpoint-corrupt", message: error.description)
        }
        var piece = FilePiece(offset: size, bytes: [], size: size)
        let failure = withExtendedLifetime(file) {
            FileExtents.walk(
                file.number,
                from: off_t(clamping: offset),
                hole: { _ in },
                data: { bytes, position in piece.append(bytes, at: UInt64(position)) ? nil : ECANCELED }
            )
        }
        if let failure, failure != ECANCELED { throw .file("read", place.absolute, failure) }
        return piece
    }

    /// As ``write(_:to:)``, on a thread that may block.
    static func put(_ piece: FilePiece, to place: FilePlace) throws(HypervisorError) {
        guard piece.isSound, let size = off_t(exactly: piece.size) else {
            throw HypervisorError(code: "message-invalid", message: "a piece of \(place.path) does not lie in it")
        }
        let (file, found) = try open(place, O_WRONLY | O_CREAT)
        let failure = withExtendedLifetime(file) { () -> Int32? in
            if found != piece.size, ftruncate(file.number, size) != 0 { return errno }
            return piece.bytes.withUnsafeBytes { bytes in
                SparsePages.forEachRun(in: bytes) { run, offset in
                    FileExtents.write(run, to: file.number, at: off_t(piece.offset) + off_t(offset))
                }
            }
        }
        guard let failure else { return }
        guard failure == ENOSPC || failure == EDQUOT else { throw .file("write", place.absolute, failure) }
        throw noRoom(for: place, bytes: piece.size)
    }

    // MARK: - Copies

    /// - Returns: nil when it is not there, or of another size.
    static func readable(_ place: FilePlace, bytes: UInt64) -> OwnedDescriptor? {
        guard let (file, size) = try? open(place, O_RDONLY), size == bytes else { return nil }
        return file
    }

    /// Shares the other one's blocks, where the file system can: that takes no time and no room.
    static func reflink(_ source: OwnedDescriptor, to place: FilePlace) throws(HypervisorError) -> Bool {
        let (file, _) = try open(place, O_WRONLY | O_CREAT | O_TRUNC)
        return withExtendedLifetime((source, file)) { FileCopy.reflink(from: source.number, over: file.number) }
    }

    /// Holes stay holes.
    /// - Returns: false when it cannot be read to its end.
    static func copy(_ source: OwnedDescriptor, to place: FilePlace) throws(HypervisorError) -> Bool {
        let (file, _) = try open(place, O_WRONLY | O_CREAT | O_TRUNC)
        let failure = withExtendedLifetime((source, file)) { FileCopy.copyData(source.number, file.number) }
        guard failure == ENOSPC || failure == EDQUOT else { return failure == nil }
        throw noRoom(for: place, bytes: room(of: source))
    }

    /// That it takes on its disk, in bytes.
    static func room(of file: OwnedDescriptor) -> UInt64 {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { return 0 }
        return UInt64(clamping: status.st_blocks) &* 512
    }

    private static func noRoom(for place: FilePlace, bytes: UInt64) -> HypervisorError {
        HypervisorError(
            code: "no-space",
            message: "there is no room for \(place.absolute), which has \(bytes) bytes: make some"
        )
    }

    /// - Returns: it, and its size in bytes.
    private static func open(_ place: FilePlace, _ flags: Int32) throws(HypervisorError) -> (OwnedDescriptor, UInt64) {
        _ = try CheckpointFolder(path: place.folder).file(place.path)
        let parts = place.path.split(separator: "/").map(String.init)
        let creates = flags & O_CREAT != 0
        let folderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        if creates { try RunFolder.make(place.folder) }
        var folder = OwnedDescriptor(Glibc.open(place.folder, folderFlags))
        for part in parts.dropLast() {
            if creates, mkdirat(folder.number, part, 0o700) != 0, errno != EEXIST {
                throw .file("create", place.absolute)
            }
            folder = OwnedDescriptor(openat(folder.number, part, folderFlags))
        }
        // A FIFO is not waited for.
        let file = OwnedDescriptor(
            openat(folder.number, parts.last ?? "", flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        )
        var status = stat()
        guard file.number >= 0, fstat(file.number, &status) == 0 else { throw .file("open", place.absolute) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file("open", place.absolute, EINVAL) }
        return (file, UInt64(clamping: status.st_size))
    }
}

extension FilePiece {
    /// Smaller holes count as zeros: each piece costs a message and its answer.
    private static let smallestHole: UInt64 = 64 << 10

    /// - Returns: whether more may follow; what does not belong to it is not taken.
    fileprivate mutating func append(_ data: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
        if bytes.isEmpty { offset = position }
        let hole = position - end
        guard hole < Self.smallestHole, bytes.count + Int(hole) + data.count <= Self.mostBytes else { return false }
        bytes += repeatElement(0, count: Int(hole))
        bytes += data
        return bytes.count < Self.mostBytes
    }
}
