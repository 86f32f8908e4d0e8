import Glibc
import Testing

@testable import Archive

@Suite struct RoundTripTests {
    private static let megabyte = 1 << 20

    /// Name, size, and where its data lies.
    private static let shapes: [(name: String, size: Int, pieces: [(Int, Int)])] = [
        ("empty", 0, []), ("short", 5, [(0, 5)]), ("dense", 3 * megabyte + 17, [(0, 3 * megabyte + 17)]),
        ("hole", 9 * megabyte, []), ("begins", 9 * megabyte, [(0, 100_000)]),
        ("ends", 9 * megabyte, [(8 * megabyte + 5, megabyte - 5)]),
        ("scattered", 40 * megabyte, stride(from: 1, to: 40, by: 3).map { ($0 * megabyte, 70_000) }),
    ]

    private func sources() throws -> (Folder, [ArchiveItem]) {
        let folder = try Folder()
        var generator = SystemRandomNumberGenerator()
        for shape in Self.shapes {
            let pieces = shape.pieces.map { piece in
                (offset: piece.0, bytes: (0..<piece.1).map { _ in UInt8.random(in: 1...255, using: &generator) })
            }
            try folder.write(shape.name, size: shape.size, pieces)
        }
        return (folder, try Self.shapes.map { try Packing.item($0.name, in: folder, as: "machines/a/\($0.name)") })
    }

    @Test func `what is written is read again, holes as holes`() async throws {
        let (source, items) = try sources()
        let packed = await Packing.pack(try Packing.contents(items))
        try #require(packed.error == nil)
        let target = try Folder()
        let result = await Packing.unpack(packed.bytes, items.map(\.file), into: target.path)
        try #require(result.error == nil, "\(String(describing: result.error))")
        for shape in Self.shapes {
            let name = "machines/a/\(shape.name)"
            #expect(try target.bytes(name) == source.bytes(shape.name), "\(shape.name)")
            #expect(target.allocated(name) <= source.allocated(shape.name) + 8192, "\(shape.name) lost its holes")
        }
        let data = Self.shapes.flatMap(\.pieces).reduce(0) { $0 + $1.1 }
        #expect(packed.bytes.count < data + 200_000, "holes are not sent")
    }

    @Test func `zeros that a file holds as data become holes`() async throws {
        let folder = try Folder()
        try folder.write("zeros", size: 4 * Self.megabyte, [(0, [UInt8](repeating: 0, count: 4 * Self.megabyte))])
        let item = try Packing.item("zeros", in: folder)
        let packed = await Packing.pack(try Packing.contents([item]))
        let target = try Folder()
        let result = await Packing.unpack(packed.bytes, [item.file], into: target.path)
        #expect(result.error == nil)
        #expect(try target.bytes("zeros") == folder.bytes("zeros"))
        #expect(target.allocated("zeros") < 64 << 10)
    }

    @Test func `plain tar lists and unpacks it`() async throws {
        let (source, items) = try sources()
        let packed = await Packing.pack(try Packing.contents(items))
        let folder = try Folder()
        try folder.write("a.tar.zst", size: packed.bytes.count, [(0, packed.bytes)])
        let list = try Folder.shell("tar --zstd -tvf \(folder.path)/a.tar.zst")
        let names = list.split(separator: "\n").compactMap { $0.split(separator: " ").last.map { String($0) } }
        #expect(names == ["archive.json", "checkpoint.json"] + items.map(\.file.name) + ["archive-index.json"])
        let target = try folder.make("target")
        let said = try Folder.shell("tar --zstd -xf \(folder.path)/a.tar.zst -C \(target)")
        #expect(said.isEmpty, "\(said)")
        for shape in Self.shapes {
            #expect(try folder.bytes("target/machines/a/\(shape.name)") == source.bytes(shape.name), "\(shape.name)")
        }
    }

    @Test(arguments: ["gone", "shorter", "longer", "changed", "a folder"])
    func `a file that is not what it is said to be leaves no archive`(_ how: String) async throws {
        let folder = try Folder()
        for name in ["first", "second"] {
            try folder.write(name, size: 300_000, [(0, Array(repeating: 7, count: 300_000))])
        }
        let items = try ["first", "second"].map { try Packing.item($0, in: folder) }
        let contents = try Packing.contents(items)
        switch how {
        case "gone": unlink(items[1].source)
        case "shorter": truncate(items[1].source, 299_999)
        case "longer": truncate(items[1].source, 300_001)
        case "changed": try folder.write("second", size: 300_000, [(0, Array(repeating: 8, count: 300_000))])
        default:
            unlink(items[1].source)
            mkdir(items[1].source, 0o700)
        }
        let packed = await Packing.pack(contents)
        #expect(packed.error?.code == .source, "\(String(describing: packed.error))")
        #expect(packed.error?.message.contains(items[1].source) == true)
        let target = try Folder()
        let result = await Packing.unpack(packed.bytes, items.map(\.file), into: target.path)
        #expect(result.error?.code == .corrupt, "what was written until then is refused")
    }

    @Test func `a reader that goes away ends the writing`() async throws {
        let folder = try Folder()
        try folder.write(
            "big",
            size: 64 * Self.megabyte,
            (0..<64).map { (offset: $0 * Self.megabyte, bytes: (0..<100_000).map { _ in UInt8.random(in: 0...255) }) }
        )
        let contents = try Packing.contents([try Packing.item("big", in: folder)])
        let channel = ByteChannel(capacity: 1)
        let writing = Task {
            try await ArchiveThread.run { () throws(ArchiveError) in try contents.write(to: channel) }
        }
        #expect(await channel.receive() != nil)
        channel.cancel()
        let error = await #expect(throws: ArchiveError.self) { try await writing.value }
        #expect(error?.code == .cut)
    }
}
