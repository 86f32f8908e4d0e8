import Glibc
import MigrationStream
import Testing

@Suite struct StreamSourceTests {
    @Test func `Memory gives the bytes asked for or an error`() throws {
        let source = MemorySource([1, 2, 3])
        #expect(try source.read(at: 1, count: 2) == [2, 3])
        #expect(try source.read(at: 3, count: 0) == [])
        for (offset, count) in [(2, 2), (4, 0), (0, -1), (UInt64.max, 1)] as [(UInt64, Int)] {
            let error = try #require(throws: StreamError.self) { try source.read(at: offset, count: count) }
            #expect(error.kind == .truncated)
        }
    }

    @Test func `A tail keeps the offsets of its stream`() throws {
        let source = try MemorySource(tail: [1, 2, 3], at: 100)
        #expect(source.size == 103)
        #expect(try source.read(at: 101, count: 1) == [2])
        #expect(throws: StreamError.self) { try source.read(at: 99, count: 1) }
        #expect(throws: StreamError.self) { try MemorySource(tail: [1, 2], at: UInt64.max) }
    }

    @Test func `A file gives the bytes asked for or an error`() throws {
        var template = Array("/tmp/fermata-source-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        defer { close(descriptor) }
        let path = template.dropLast().map { UInt8(bitPattern: $0) }
        let name = String(decoding: path, as: UTF8.self)
        defer { unlink(name) }
        #expect(write(descriptor, [1, 2, 3] as [UInt8], 3) == 3)
        let source = try FileSource(path: name)
        #expect(source.size == 3)
        let read = try source.read(at: 1, count: 2)
        #expect(read == [2, 3])
        #expect(throws: StreamError.self) { try source.read(at: 2, count: 2) }
        #expect(throws: StreamError.self) { try source.read(at: UInt64.max, count: 1) }
        #expect(ftruncate(descriptor, 1) == 0)
        let error = try #require(throws: StreamError.self) { try source.read(at: 0, count: 3) }
        #expect(error.kind == .truncated, "it became shorter under the reader")
        #expect(error.offset == 1)
    }

    @Test func `What is no file is refused with the system's reason`() throws {
        let missing = try #require(throws: StreamError.self) { try FileSource(path: "/nonexistent/checkpoint") }
        #expect(missing.kind == .ioFailure)
        #expect(missing.description.contains("/nonexistent/checkpoint"))
        #expect(missing.description.contains("No such file"))
        let folder = try #require(throws: StreamError.self) { try FileSource(path: "/tmp") }
        #expect(folder.kind == .ioFailure)
        let closed = try #require(throws: StreamError.self) { try FileSource(descriptor: -1) }
        #expect(closed.description.contains("Bad file descriptor"))
    }

    @Test func `A file that cannot be written is an error`() throws {
        let recording = Recording(name: "microvm-10.0")
        let stream = try recording.map()
        let file = try MemorySource(recording.bytes())
        let field = try #require(stream.sections(vmsd: "timer").first?.field("cpu_clock_offset"))
        let set = try PatchSet([file.patch(field, to: Int64(1))], for: stream)
        var template = Array("/tmp/fermata-source-XXXXXX".utf8CString)
        let writable = mkstemp(&template)
        let name = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(writable)
            unlink(name)
        }
        let bytes = try recording.bytes()
        #expect(write(writable, bytes, bytes.count) == bytes.count)
        let descriptor = open(name, O_RDONLY)
        defer { close(descriptor) }
        let error = try #require(throws: StreamError.self) { try set.apply(toFile: descriptor) }
        #expect(error.kind == .ioFailure)
    }

    @Test(
        arguments: [
            ("uint8", [0xff], 255), ("int8", [0xff], -1), ("timer", [0xff, 0xff, 0xff, 0xff], -1),
            ("uint32", [0xff, 0xff, 0xff, 0xff], 4_294_967_295), ("bool", [1], 1), ("uint16", [1, 2], 258),
            ("uint64", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], -2),
        ] as [(String, [UInt8], Int64)]
    )
    func `Integers are big-endian and extended by their own type`(type: String, bytes: [UInt8], value: Int64) throws {
        let field = Field(path: "x", type: type, offset: 0, size: UInt64(bytes.count))
        #expect(try MemorySource(bytes).integer(field, as: Int64.self) == value)
    }

    @Test func `A value that does not fit the type asked for is an error`() throws {
        let source = MemorySource([0x80, 0xff, 0xff])
        let negative = Field(path: "x", type: "int16", offset: 0, size: 2)
        #expect(throws: StreamError.self) { try source.integer(negative, as: UInt64.self) }
        #expect(throws: StreamError.self) { try source.integer(negative, as: Int8.self) }
        let three = Field(path: "x", type: "buffer", offset: 0, size: 3)
        #expect(throws: StreamError.self) { try source.integer(three, as: Int64.self) }
        let endless = Field(path: "x", type: "buffer", offset: 0, size: .max)
        #expect(throws: StreamError.self) { try source.bytes(of: endless) }
    }

    @Test func `Errors read as sentences`() throws {
        let error = try #require(throws: StreamError.self) { try CheckpointStream(reading: MemorySource([1, 2, 3])) }
        #expect(
            error.description
                == "this is not a QEMU checkpoint at byte 0: it has 3 bytes, the header alone takes 8"
        )
    }
}
