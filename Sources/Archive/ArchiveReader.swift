import CArchive
import Glibc
import Synchronization

/// Reads an archive entry by entry, in constant memory, and believes nothing in it: what is not exactly as announced ends the
/// reading. Each call may block its thread; they are made one after the other, in this order.
public final class ArchiveReader: Sendable {
    fileprivate struct State {
        let archive: OpaquePointer
        let input: ArchiveInput
        var index = ArchiveIndex()
        /// What may still come of ``ArchiveHead/dataBytes``.
        var dataLeft: UInt64 = 0
    }

    private let state: Mutex<State>

    public init(_ channel: ByteChannel) throws(ArchiveError) {
        guard let archive = archive_read_new() else {
            throw ArchiveError(.storage, "there is no memory for an archive")
        }
        let input = ArchiveInput(channel: channel)
        // Nothing else: each format that libarchive knows is a way in. With ARCHIVE_WARN zstd would be a program of that name.
        guard archive_read_support_format_tar(archive) == ARCHIVE_OK,
            archive_read_support_filter_zstd(archive) == ARCHIVE_OK
        else {
            archive_read_free(archive)
            throw ArchiveError(.storage, "this host's libarchive cannot read tar with zstd")
        }
        state = Mutex(State(archive: archive, input: input))
    }

    deinit {
        state.withLock { state in
            withExtendedLifetime(state.input) { _ = archive_read_free(state.archive) }
        }
    }

    /// The first entry.
    public func head() throws(ArchiveError) -> ArchiveHead {
        try locked { state throws(ArchiveError) in
            let client = Unmanaged.passUnretained(state.input).toOpaque()
            guard archive_read_open(state.archive, client, nil, readFromChannel, nil) == ARCHIVE_OK else {
                throw state.failure()
            }
            let bytes = try state.document(ArchiveFormat.headName, limit: ArchiveFormat.headLimit)
            let head = try ArchiveHead(parsing: bytes)
            state.dataLeft = head.dataBytes
            return head
        }
    }

    /// The next entry, which has to be of that name and no larger.
    public func document(_ name: String, limit: Int) throws(ArchiveError) -> [UInt8] {
        try locked { state throws(ArchiveError) in try state.document(name, limit: limit) }
    }

    /// The files, in any order, each exactly once and as it is said to be. None is there before; on failure some are.
    public func extract(_ files: [ArchivedFile], into folder: String) throws(ArchiveError) {
        try locked { state throws(ArchiveError) in
            var missing = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
            while !missing.isEmpty {
                let (name, size, _) = try state.next()
                guard let file = missing.removeValue(forKey: name) else {
                    let isKnown = files.contains { $0.name == name }
                    throw .corrupt(
                        isKnown
                            ? "has \(name) twice"
                            : "has an entry that its manifest does not know: '\(name.prefix(200))'"
                    )
                }
                guard size == file.bytes else {
                    throw .corrupt("has \(size) bytes of \(name) instead of \(file.bytes)")
                }
                try state.extract(file, into: folder)
            }
        }
    }

    /// The index, and that nothing follows.
    public func finish() throws(ArchiveError) {
        try locked { state throws(ArchiveError) in
            let read = state.index
            let bytes = try state.document(ArchiveFormat.indexName, limit: ArchiveFormat.indexLimit)
            guard try ArchiveIndex(parsing: bytes) == read else {
                throw .corrupt("has other entries than its index says")
            }
            try state.end()
        }
    }

    private func locked<Value: Sendable>(
        _ body: (inout State) throws(ArchiveError) -> Value
    ) throws(ArchiveError) -> Value {
        // Mutex rethrows what it is given, in its type.
        try state.withLock { state throws(ArchiveError) in try body(&state) }
    }
}

extension ArchiveReader.State {
    /// The next entry's head: a plain file of a plain name.
    fileprivate func next() throws(ArchiveError) -> (name: String, size: UInt64, entry: OpaquePointer) {
        var entry: OpaquePointer?
        let result = archive_read_next_header(archive, &entry)
        if result == ARCHIVE_EOF {
            throw .corrupt(index.entries.isEmpty ? "is empty" : "ends before it is complete: it was cut")
        }
        guard result == ARCHIVE_OK, let entry else { throw failure() }
        guard let name = archive_entry_pathname(entry).map({ String(cString: $0) }) else {
            throw .corrupt("has an entry without a name that can be read")
        }
        let isPlain =
            archive_entry_filetype(entry) == UInt32(S_IFREG) && archive_entry_hardlink(entry) == nil
            && archive_entry_symlink(entry) == nil
        guard isPlain else { throw .corrupt("has an entry that is no plain file: '\(name.prefix(200))'") }
        guard archive_entry_size_is_set(entry) != 0, let size = UInt64(exactly: archive_entry_size(entry)) else {
            throw .corrupt("does not say how large \(name.prefix(200)) is")
        }
        return (name, size, entry)
    }

    fileprivate mutating func document(_ name: String, limit: Int) throws(ArchiveError) -> [UInt8] {
        let (found, size, _) = try next()
        guard found == name else { throw .corrupt("has '\(found.prefix(200))' where \(name) should be") }
        guard size <= UInt64(limit) else { throw .corrupt("has \(size) bytes of \(name), more than that can have") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        var digest = ArchiveDigest()
        try blocks(of: name, size: size) { block, offset throws(ArchiveError) in
            bytes += [UInt8](repeating: 0, count: Int(offset) - bytes.count)
            bytes += block
        }
        bytes += [UInt8](repeating: 0, count: Int(size) - bytes.count)
        bytes.withUnsafeBytes { digest.update($0) }
        index.entries.append(ArchivedFile(name: name, bytes: size, sha256: digest.hex))
        return bytes
    }

    fileprivate mutating func extract(_ file: ArchivedFile, into folder: String) throws(ArchiveError) {
        let output = try NewFile(file.name, in: folder)
        // A size that the file system does not have is refused before anything is reckoned with.
        try output.setSize(file.bytes)
        let channel = input.channel
        var digest = ArchiveDigest()
        func skip(_ count: UInt64) throws(ArchiveError) {
            var rest = count
            while rest > 0 {
                guard !channel.isCancelled else { throw .senderGone }
                let step = min(rest, 64 << 20)
                digest.update(zeros: step)
                rest -= step
            }
        }
        var position: UInt64 = 0
        var left = dataLeft
        try blocks(of: file.name, size: file.bytes) { block, offset throws(ArchiveError) in
            guard UInt64(block.count) <= left else { throw .corrupt("has more data than it announces") }
            left -= UInt64(block.count)
            try skip(offset - position)
            digest.update(block)
            try output.write(block, at: offset)
            position = offset + UInt64(block.count)
        }
        dataLeft = left
        try skip(file.bytes - position)
        let found = digest.hex
        if let expected = file.sha256, found != expected {
            throw .corrupt("has \(file.name) with the digest \(found) instead of \(expected)")
        }
        index.entries.append(ArchivedFile(name: file.name, bytes: file.bytes, sha256: found))
    }

    /// An entry's data in order; what lies between is holes.
    private func blocks(
        of name: String,
        size: UInt64,
        _ body: (UnsafeRawBufferPointer, UInt64) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var position: UInt64 = 0
        while true {
            var (start, count, offset): (UnsafeRawPointer?, Int, Int64) = (nil, 0, 0)
            let result = archive_read_data_block(archive, &start, &count, &offset)
            if result == ARCHIVE_EOF { return }
            guard result == ARCHIVE_OK else { throw failure() }
            guard let begin = UInt64(exactly: offset), begin >= position, begin <= size, UInt64(count) <= size - begin
            else {
                throw .corrupt("has data of \(name) outside of its \(size) bytes")
            }
            position = begin + UInt64(count)
            if count > 0 { try body(UnsafeRawBufferPointer(start: start, count: count), begin) }
        }
    }

    /// The tar's end, and the stream's.
    fileprivate func end() throws(ArchiveError) {
        var entry: OpaquePointer?
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_EOF: break
        case ARCHIVE_OK: throw .corrupt("goes on behind its index")
        default: throw failure()
        }
        var behind = 0
        while let piece = input.channel.read() {
            behind += piece.count
            guard behind <= ArchiveFormat.paddingLimit else { throw .corrupt("is followed by something else") }
        }
        if input.channel.isCancelled { throw failure() }
    }

    fileprivate func failure() -> ArchiveError {
        if input.channel.isCancelled { return .senderGone }
        let words = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive does not say why"
        return .corrupt("cannot be read: \(words)")
    }
}
