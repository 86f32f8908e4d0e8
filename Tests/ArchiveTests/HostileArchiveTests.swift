import CArchive
import Glibc
import Testing

@testable import Archive

/// Whatever comes is an archive of exactly the announced files, or it is refused, and nothing outside of the folder is touched.
@Suite struct HostileArchiveTests {
    typealias Entry = HostileArchive.Entry

    /// Refused: and beside the folder that it was to go into nothing is there that was not there before.
    @discardableResult
    private func refuse(
        _ bytes: [UInt8],
        _ what: String,
        _ code: ArchiveError.Code = .corrupt,
        more: (@Sendable () -> [UInt8])? = nil
    ) async throws -> Int {
        let folder = try Folder()
        try folder.write("outside", size: 4, [(0, Array("mine".utf8))])
        let target = try folder.make("target")
        let result = await Packing.unpack(bytes, [HostileArchive.file], into: target, more: more)
        #expect(result.error?.code == code, "\(what): \(String(describing: result.error))")
        #expect(result.error?.message.isEmpty == false)
        let outside = folder.contents.filter { !$0.hasPrefix("target") }
        #expect(outside == ["outside"], "\(what)")
        #expect(try folder.bytes("outside") == Array("mine".utf8), "\(what)")
        return result.sent
    }

    @Test func `the good one that all others are made from is taken`() async throws {
        let folder = try Folder()
        let result = await Packing.unpack(try HostileArchive.good().bytes(), [HostileArchive.file], into: folder.path)
        #expect(result.error == nil, "\(String(describing: result.error))")
        #expect(try folder.bytes(HostileArchive.file.name) == Array("state".utf8))
    }

    @Test func `what is no archive is refused`() async throws {
        try await refuse([], "nothing")
        try await refuse(Array("this is no archive, only a text".utf8), "text")
        try await refuse((0..<100_000).map { _ in UInt8.random(in: 0...255) }, "noise")
        var plain = HostileArchive()
        plain.entries = [Entry(name: "readme", bytes: Array("hello".utf8))]
        try await refuse(try plain.bytes(), "somebody's tar")
        var other = HostileArchive.good()
        other.filter = archive_write_add_filter_gzip
        try await refuse(try other.bytes(), "gzip")
        other = HostileArchive.good()
        other.format = archive_write_set_format_zip
        try await refuse(try other.bytes(), "zip")
        other.format = archive_write_set_format_cpio_newc
        try await refuse(try other.bytes(), "cpio")
    }

    @Test func `a head of something else or of a later format is refused`() async throws {
        for (head, code) in [
            (HostileArchive.head(kind: "holiday"), ArchiveError.Code.corrupt),
            (HostileArchive.head(format: 2), .incompatible), (HostileArchive.head(format: 0), .incompatible),
            (HostileArchive.head(format: -1), .incompatible), (HostileArchive.head(dataBytes: -1), .corrupt),
            (HostileArchive.head(dataBytes: 1_000_001), .corrupt), (Array("{}".utf8), .corrupt), ([], .corrupt),
            (Array(repeating: UInt8(ascii: "["), count: 60_000), .corrupt),
            (Array(repeating: UInt8(ascii: " "), count: 65_537), .corrupt),
        ] {
            var archive = HostileArchive.good()
            archive.entries[0].bytes = head
            archive.entries.removeLast()
            archive.addIndex()
            try await refuse(try archive.bytes(), "head of \(head.count) bytes", code)
        }
    }

    @Test(arguments: [
        Entry(name: "../outside", bytes: Array("evil".utf8)), Entry(name: "machines/../../outside", bytes: [1]),
        Entry(name: "/tmp/fermata-archive-evil", bytes: [1]), Entry(name: "machines/a/../../../outside", bytes: [1]),
        Entry(name: "machines/a/extra", bytes: [1]), Entry(name: "checkpoint.json", bytes: [1]),
        Entry(name: "machines/a/state", kind: S_IFLNK, symlink: "/etc/passwd"),
        Entry(name: "machines", kind: S_IFLNK, symlink: "/tmp"),
        Entry(name: "machines/a/state", hardlink: "checkpoint.json"), Entry(name: "machines/a/state", kind: S_IFDIR),
        Entry(name: "machines/a/state", kind: S_IFIFO), Entry(name: "machines/a/state", kind: S_IFCHR),
        Entry(name: "machines/a/state", kind: S_IFBLK), Entry(name: "archive-index.json", bytes: [1]),
        Entry(name: "machines/a/state", bytes: Array("state and more".utf8)),
        Entry(name: "machines/a/state", bytes: Array("stat".utf8)),
        Entry(name: "machines/a/state", bytes: Array("STATE".utf8)),
    ])
    func `an entry that is not announced is refused`(_ entry: Entry) async throws {
        var instead = HostileArchive.good()
        instead.entries[2] = entry
        instead.entries.removeLast()
        instead.addIndex()
        try await refuse(try instead.bytes(), "\(entry.name), kind \(entry.kind), in the place of a file")
        for position in [0, 1, 2, 3] where !(position == 3 && entry.name == "archive-index.json") {
            var beside = HostileArchive.good()
            beside.insert(entry, at: position)
            try await refuse(try beside.bytes(), "\(entry.name), kind \(entry.kind), at \(position)")
        }
    }

    @Test func `a file that comes twice is refused`() async throws {
        var archive = HostileArchive.good()
        archive.insert(archive.entries[2], at: 3)
        try await refuse(try archive.bytes(), "twice")
    }

    @Test func `without an index, or with another one, it is refused`() async throws {
        var archive = HostileArchive.good()
        archive.entries.removeLast()
        try await refuse(try archive.bytes(), "no index")
        archive.entries.append(Entry(name: "archive-index.json", bytes: Array("{\"entries\": []}".utf8)))
        try await refuse(try archive.bytes(), "an empty index")
        archive = HostileArchive.good()
        archive.entries.append(Entry(name: "more", bytes: [1]))
        try await refuse(try archive.bytes(), "more behind the index")
        archive = HostileArchive.good()
        archive.entries.swapAt(0, 1)
        try await refuse(try archive.bytes(), "the manifest before the head")
    }

    @Test func `wherever it is cut, it is refused`() async throws {
        let bytes = try HostileArchive.good().bytes()
        for end in 0..<bytes.count { try await refuse(Array(bytes[..<end]), "cut at \(end) of \(bytes.count)") }
    }

    @Test func `whichever bit is wrong, it is refused or makes no difference`() async throws {
        let bytes = try HostileArchive.good().bytes()
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= 1 << UInt8.random(in: 0..<8)
            let folder = try Folder()
            let result = await Packing.unpack(damaged, [HostileArchive.file], into: folder.path)
            if let error = result.error {
                #expect([.corrupt, .incompatible].contains(error.code), "bit at \(position): \(error)")
            } else {
                #expect(try folder.bytes(HostileArchive.file.name) == Array("state".utf8), "bit at \(position)")
            }
        }
    }

    @Test func `more data than announced is refused before it is all there`() async throws {
        var archive = HostileArchive()
        let bytes = [UInt8](repeating: 1, count: 4 << 20)
        archive.entries = [
            Entry(name: "archive.json", bytes: HostileArchive.head(dataBytes: 5)),
            Entry(name: "checkpoint.json", bytes: Packing.manifest), Entry(name: "big", bytes: bytes),
        ]
        archive.addIndex()
        let file = ArchivedFile(name: "big", bytes: UInt64(bytes.count), sha256: Packing.digest(bytes))
        let folder = try Folder()
        let result = await Packing.unpack(try archive.bytes(), [file], into: folder.path)
        #expect(result.error?.code == .corrupt)
        #expect(folder.allocated("big") <= 0)
    }

    @Test func `what does not end is refused, not read for ever`() async throws {
        let zeros: @Sendable () -> [UInt8] = { [UInt8](repeating: 0, count: 64 << 10) }
        let noise: @Sendable () -> [UInt8] = Self.noise
        let good = try HostileArchive.good().bytes()
        let again: @Sendable () -> [UInt8] = { good + good }
        let streams: [(String, [UInt8], @Sendable () -> [UInt8])] = [
            ("zeros", [], zeros), ("noise", [], noise), ("zeros behind it", good, zeros),
            ("noise behind it", good, noise),
            ("itself again and again", good, again),
        ]
        for (what, begin, more) in streams {
            let sent = try await refuse(begin, what, more: more)
            #expect(sent < 4 << 20, "\(what): \(sent) bytes were read")
        }
    }

    private static func noise() -> [UInt8] { (0..<(64 << 10)).map { _ in UInt8.random(in: 0...255) } }

    @Test func `an entry of endless zeros is refused by its size`() async throws {
        var archive = HostileArchive.good()
        archive.entries[2].bytes = [UInt8](repeating: 0, count: 64 << 20)
        archive.entries.removeLast()
        archive.addIndex()
        let bytes = try archive.bytes()
        #expect(bytes.count < 64 << 10)
        try await refuse(bytes, "zeros")
    }

    @Test func `a name of a file outside is refused whoever gives it`() async throws {
        for name in ["../evil", "/tmp/fermata-archive-evil", "a/../../evil", "a//b", "./a", "", "a/"] {
            let folder = try Folder()
            let target = try folder.make("target")
            let error = #expect(throws: ArchiveError.self) { try NewFile(name, in: target) }
            #expect(error?.code == .corrupt, "\(name)")
            #expect(
                folder.contents == ["target"] || folder.contents == ["target", "target/a"],
                "\(name): \(folder.contents)"
            )
        }
        let folder = try Folder()
        #expect(symlink("/tmp", "\(folder.path)/link") == 0)
        #expect(throws: ArchiveError.self) { try NewFile("link", in: folder.path) }
    }

    @Test func `a sender that goes away is told apart from an archive that ends`() async throws {
        let channel = ByteChannel()
        let bytes = try HostileArchive.good().bytes()
        #expect(await channel.send(Array(bytes.prefix(bytes.count / 2))))
        let reading = Task {
            try await ArchiveThread.run { () throws(ArchiveError) in
                let reader = try ArchiveReader(channel)
                _ = try reader.head()
                return try reader.document("checkpoint.json", limit: 1 << 20)
            }
        }
        channel.cancel()
        let error = await #expect(throws: ArchiveError.self) { _ = try await reading.value }
        #expect(error?.code == .cut)
    }
}
