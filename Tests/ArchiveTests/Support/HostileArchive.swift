import CArchive
import FoundationEssentials
import Glibc

@testable import Archive

/// An archive such as only an enemy, or a fault, would write: entry by entry, of any kind and in any order.
struct HostileArchive {
    struct Entry {
        var name: String
        var bytes: [UInt8] = []
        /// As in a file's mode.
        var kind = S_IFREG
        var symlink: String?
        var hardlink: String?
    }

    var entries: [Entry] = []
    var filter = archive_write_add_filter_zstd
    var format = archive_write_set_format_pax_restricted

    static let file = ArchivedFile(name: "machines/a/state", bytes: 5, sha256: Packing.digest(Array("state".utf8)))

    /// A good one, of ``file``.
    static func good() -> HostileArchive {
        var archive = HostileArchive()
        archive.entries = [
            Entry(name: "archive.json", bytes: head(dataBytes: 5)),
            Entry(name: "checkpoint.json", bytes: Packing.manifest),
            Entry(name: file.name, bytes: Array("state".utf8)),
        ]
        archive.addIndex()
        return archive
    }

    static func head(kind: String = "fermata-checkpoint", format: Int = 1, dataBytes: Int = 5) -> [UInt8] {
        Array(
            """
            {"archive": "\(kind)", "format": \(format), "tool": "test", "simulation": "lab", "checkpoint": "s1",
             "id": "id", "files": 1, "bytes": 1000000, "dataBytes": \(dataBytes)}
            """.utf8
        )
    }

    /// One that fits what is there.
    mutating func addIndex() {
        let index = ArchiveIndex(
            entries: entries.map {
                ArchivedFile(name: $0.name, bytes: UInt64($0.bytes.count), sha256: Packing.digest($0.bytes))
            }
        )
        entries.append(Entry(name: "archive-index.json", bytes: Array((try? JSONEncoder().encode(index)) ?? Data())))
    }

    /// Before the index, which then tells of it.
    mutating func insert(_ entry: Entry, at position: Int) {
        entries.removeLast()
        entries.insert(entry, at: position)
        addIndex()
    }

    func bytes() throws -> [UInt8] {
        guard let archive = archive_write_new() else { throw Failure("no memory") }
        defer { archive_write_free(archive) }
        var buffer = [UInt8](repeating: 0, count: 8 << 20)
        var used = 0
        _ = format(archive)
        _ = filter(archive)
        archive_write_set_bytes_in_last_block(archive, 1)
        try buffer.withUnsafeMutableBytes { memory in
            guard archive_write_open_memory(archive, memory.baseAddress, memory.count, &used) == ARCHIVE_OK else {
                throw Failure("cannot open")
            }
            for entry in entries { try write(entry, archive) }
            guard archive_write_close(archive) == ARCHIVE_OK else {
                throw Failure(String(cString: archive_error_string(archive)))
            }
        }
        return Array(buffer.prefix(used))
    }

    private func write(_ entry: Entry, _ archive: OpaquePointer) throws {
        let header = archive_entry_new()
        defer { archive_entry_free(header) }
        archive_entry_set_pathname(header, entry.name)
        archive_entry_set_filetype(header, UInt32(entry.kind))
        archive_entry_set_perm(header, 0o4755)
        archive_entry_set_size(header, Int64(entry.bytes.count))
        if let symlink = entry.symlink { archive_entry_set_symlink(header, symlink) }
        if let hardlink = entry.hardlink { archive_entry_set_hardlink(header, hardlink) }
        guard archive_write_header(archive, header) == ARCHIVE_OK else {
            throw Failure("\(entry.name): \(String(cString: archive_error_string(archive)))")
        }
        var written = 0
        while written < entry.bytes.count {
            let count = entry.bytes[written...].withUnsafeBytes {
                archive_write_data(archive, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return }
            written += count
        }
    }
}
