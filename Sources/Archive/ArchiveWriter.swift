import CArchive
import FoundationEssentials
import Glibc

private func sendToChannel(
    _: OpaquePointer?,
    client: UnsafeMutableRawPointer?,
    bytes: UnsafeRawPointer?,
    count: Int
) -> Int {
    guard let client, let bytes else { return -1 }
    let output = Unmanaged<ByteChannel>.fromOpaque(client).takeUnretainedValue()
    return output.write(Array(UnsafeRawBufferPointer(start: bytes, count: count))) ? count : -1
}

/// Writes an archive entry by entry, in constant memory. To be used on one thread, which it may block.
final class ArchiveWriter {
    /// What libarchive hands over at once, and the tar's padding at its end.
    private static let blockBytes: Int32 = 256 << 10

    /// Threads beside the one that reads and digests.
    private static let compressors = "2"

    private let archive: OpaquePointer
    private let output: ByteChannel
    private let time: Int64
    private var index = ArchiveIndex()
    private var isClosed = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)
    private let zeros = [UInt8](repeating: 0, count: 1 << 20)

    /// - Parameter time: of every entry, seconds since the epoch.
    init(output: ByteChannel, time: Int64 = 0) throws(ArchiveError) {
        guard let archive = archive_write_new() else {
            throw ArchiveError(.storage, "there is no memory for an archive")
        }
        self.archive = archive
        self.output = output
        self.time = time
        guard
            archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK,
            // With ARCHIVE_WARN it would be a program of that name.
            archive_write_add_filter_zstd(archive) == ARCHIVE_OK,
            archive_write_set_filter_option(archive, "zstd", "threads", Self.compressors) == ARCHIVE_OK,
            archive_write_set_bytes_per_block(archive, Self.blockBytes) == ARCHIVE_OK,
            archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK,
            archive_write_open(archive, Unmanaged.passUnretained(output).toOpaque(), nil, sendToChannel, nil)
                == ARCHIVE_OK
        else {
            throw failure()
        }
    }

    deinit {
        // What is closed is whole: one that failed must not get an end.
        if !isClosed { archive_write_fail(archive) }
        archive_write_free(archive)
    }

    func add(_ head: ArchiveHead) throws(ArchiveError) { try add(encoded(head), named: ArchiveFormat.headName) }

    func add(_ bytes: [UInt8], named name: String) throws(ArchiveError) {
        try begin(name, size: UInt64(bytes.count), regions: nil)
        var digest = ArchiveDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        try write(bytes, bytes.count)
        index.entries.append(ArchivedFile(name: name, bytes: UInt64(bytes.count), sha256: digest.hex))
    }

    /// - Throws: also when the file is another one than it is said to be.
    func add(_ item: ArchiveItem) throws(ArchiveError) {
        let descriptor = open(item.source, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(item.source) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(item.source)
        }
        guard UInt64(status.st_size) == item.file.bytes else {
            throw ArchiveError(.source, "\(item.source) has \(status.st_size) bytes instead of \(item.file.bytes)")
        }
        let regions = DataRegions.of(descriptor, size: item.file.bytes)
        try begin(item.file.name, size: item.file.bytes, regions: regions)
        var digest = ArchiveDigest()
        var position: UInt64 = 0
        for region in regions {
            try skip(region.start - position, &digest)
            try copy(descriptor, region, item.source, &digest)
            position = region.end
        }
        try skip(item.file.bytes - position, &digest)
        let found = digest.hex
        if let expected = item.file.sha256, found != expected {
            throw ArchiveError(.source, "\(item.source) has the digest \(found) instead of \(expected)")
        }
        index.entries.append(ArchivedFile(name: item.file.name, bytes: item.file.bytes, sha256: found))
    }

    /// Without this it is no archive.
    func finish() throws(ArchiveError) {
        try add(encoded(index), named: ArchiveFormat.indexName)
        guard archive_write_close(archive) == ARCHIVE_OK else { throw failure() }
        isClosed = true
    }

    private func begin(
        _ name: String,
        size: UInt64,
        regions: [DataRegions.Region]?
    ) throws(ArchiveError) {
        guard let entry = archive_entry_new() else { throw ArchiveError(.storage, "there is no memory for an archive") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname(entry, name)
        archive_entry_set_size(entry, Int64(size))
        archive_entry_set_filetype(entry, UInt32(S_IFREG))
        archive_entry_set_perm(entry, 0o600)
        archive_entry_set_mtime(entry, time_t(time), 0)
        if let regions, size > 0 {
            for region in regions {
                archive_entry_sparse_add_entry(entry, Int64(region.start), Int64(region.end - region.start))
            }
            // So libarchive is told of a file that is all hole.
            if regions.isEmpty { archive_entry_sparse_add_entry(entry, 0, 0) }
        }
        guard archive_write_header(archive, entry) == ARCHIVE_OK else { throw failure() }
    }

    private func copy(
        _ descriptor: Int32,
        _ region: DataRegions.Region,
        _ path: String,
        _ digest: inout ArchiveDigest
    ) throws(ArchiveError) {
        var position = region.start
        while position < region.end {
            let wanted = Int(min(UInt64(buffer.count), region.end - position))
            let count = pread(descriptor, &buffer, wanted, off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path) }
            guard count > 0 else { throw ArchiveError(.source, "\(path) became shorter while it was read") }
            buffer[..<count].withUnsafeBytes { digest.update($0) }
            try write(buffer, count)
            position += UInt64(count)
        }
    }

    /// libarchive leaves out of a sparse entry what is in its holes, and wants it all the same.
    private func skip(_ count: UInt64, _ digest: inout ArchiveDigest) throws(ArchiveError) {
        digest.update(zeros: count)
        var rest = count
        while rest > 0 {
            let step = min(rest, UInt64(zeros.count))
            try write(zeros, Int(step))
            rest -= step
        }
    }

    private func write(_ bytes: [UInt8], _ count: Int) throws(ArchiveError) {
        var written = 0
        while written < count {
            let step = bytes[written..<count].withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
            guard step > 0 else { throw failure() }
            written += step
        }
    }

    private func failure() -> ArchiveError {
        if output.isCancelled { return ArchiveError(.cut, "whoever was to get the archive has gone") }
        let words = archive_error_string(archive).map { String(cString: $0) } ?? "libarchive does not say why"
        return ArchiveError(.storage, "the archive cannot be written: \(words)")
    }

    private func encoded(_ value: some Encodable) throws(ArchiveError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw ArchiveError(.storage, "the archive cannot be written: \(error)")
        }
    }
}
