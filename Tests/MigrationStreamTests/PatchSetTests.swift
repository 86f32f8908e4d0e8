import Glibc
import MigrationStream
import Testing

@Suite struct PatchSetTests {
    private let recording = Recording(name: "pc-unstarted-10.0")

    private func clock() throws -> (CheckpointStream, MemorySource, Field) {
        let stream = try recording.map()
        let section = try #require(stream.sections(vmsd: "mc146818rtc").first)
        return try (stream, MemorySource(recording.bytes()), #require(section.field("last_update")))
    }

    @Test(arguments: Recording.small)
    func `A patched field reads its new value and nothing else has changed`(recording: Recording) throws {
        var random = SeededGenerator(seed: 1)
        let bytes = try recording.bytes()
        let stream = try recording.map()
        let source = MemorySource(bytes)
        let numbers = stream.sections.flatMap(\.fields).filter {
            [1, 2, 4, 8].contains($0.size) && $0.count == nil && ($0.type.contains("int") || $0.type == "timer")
        }
        for _ in 0..<8 {
            let field = try #require(numbers.randomElement(using: &random))
            let value = UInt64.random(in: 0...(UInt64.max >> (64 - field.size * 8)), using: &random)
            let bits = Int64(bitPattern: value << (64 - field.size * 8)) >> Int64(64 - field.size * 8)
            let isSigned = field.type.hasPrefix("int") || field.type == "timer"
            let patch = isSigned ? try source.patch(field, to: bits) : try source.patch(field, to: value)
            var patched = bytes
            try PatchSet([patch], for: stream).apply(to: &patched)
            let after = MemorySource(patched)
            if isSigned {
                #expect(try after.integer(field, as: Int64.self) == bits)
            } else {
                #expect(try after.integer(field, as: UInt64.self) == value)
            }
            let range = Int(field.offset)..<Int(field.offset + field.size)
            var restored = patched
            restored.replaceSubrange(range, with: bytes[range])
            #expect(restored == bytes)
            #expect(try CheckpointStream(reading: after) == stream)
        }
    }

    @Test func `A patch of a tail lands where the whole stream has it`() throws {
        let (stream, source, field) = try clock()
        let set = try PatchSet([source.patch(field, to: Int64(-5))], for: stream)
        var whole = try recording.bytes()
        var tail = Array(whole[Int(stream.deviceStateOffset)...])
        try set.apply(to: &whole)
        try set.apply(to: &tail, bufferOffset: stream.deviceStateOffset)
        #expect(tail == Array(whole[Int(stream.deviceStateOffset)...]))
        #expect(try MemorySource(whole).integer(field, as: Int64.self) == -5)
    }

    @Test func `A patch of a file lands in the file`() throws {
        let (stream, source, field) = try clock()
        let set = try PatchSet([source.patch(field, to: Int64(7))], for: stream)
        var template = Array("/tmp/fermata-patch-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        defer { close(descriptor) }
        unlink(template)
        let bytes = try recording.bytes()
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        try set.apply(toFile: descriptor)
        let file = try FileSource(descriptor: descriptor)
        #expect(try file.integer(field, as: Int64.self) == 7)
        #expect(try CheckpointStream(reading: file) == stream)
        let error = try #require(throws: StreamError.self) { try set.apply(toFile: descriptor) }
        #expect(error.kind == .patchRefused, "the bytes it was made for are gone")
    }

    @Test func `Bytes that are not the expected ones stay as they are, all of them`() throws {
        let (stream, source, field) = try clock()
        let other = try #require(stream.sections(vmsd: "timer").first?.field("cpu_clock_offset"))
        let set = try PatchSet([source.patch(field, to: Int64(1)), source.patch(other, to: Int64(1))], for: stream)
        var bytes = try recording.bytes()
        bytes[Int(field.offset)] ^= 1
        let before = bytes
        let error = try #require(throws: StreamError.self) { try set.apply(to: &bytes) }
        #expect(error.kind == .patchRefused)
        #expect(error.offset == field.offset)
        #expect(bytes == before)
    }

    @Test func `A buffer that a patch reaches beyond is refused`() throws {
        let (stream, source, field) = try clock()
        let set = try PatchSet([source.patch(field, to: Int64(1))], for: stream)
        let bytes = try recording.bytes()
        var short = Array(bytes[..<Int(field.offset + 4)])
        var late = Array(bytes[Int(field.offset + 4)...])
        #expect(throws: StreamError.self) { try set.apply(to: &short) }
        #expect(throws: StreamError.self) { try set.apply(to: &late, bufferOffset: field.offset + 4) }
    }

    @Test func `A patch set is in the order of its offsets`() throws {
        let (stream, source, field) = try clock()
        let other = try #require(stream.sections(vmsd: "timer").first?.field("cpu_clock_offset"))
        let late = try source.patch(field, to: Int64(1))
        let early = try source.patch(other, to: Int64(1))
        #expect(try PatchSet([late, early], for: stream).patches == [early, late])
        #expect(try PatchSet([], for: stream).patches.isEmpty)
    }

    enum Place: CaseIterable {
        case header, ram, sectionHeader, footer, acrossFooter, description, beyond, endOfNumbers
    }

    @Test(arguments: Place.allCases)
    func `A patch outside device payloads is refused`(place: Place) throws {
        let stream = try recording.map()
        let section = try #require(stream.sections(vmsd: "mc146818rtc").first)
        let offset =
            switch place {
            case .header: UInt64(9)
            case .ram: stream.headerSize + 4000
            case .sectionHeader: section.offset + 6
            case .footer: section.payloadOffset + section.payloadSize + 1
            case .acrossFooter: section.payloadOffset + section.payloadSize - 1
            case .description: stream.size - 10
            case .beyond: stream.size + 10
            case .endOfNumbers: UInt64.max
            }
        let error = try #require(throws: StreamError.self) {
            try PatchSet([Patch(offset: offset, old: [0, 0], new: [1, 1])], for: stream)
        }
        #expect(error.kind == .patchRefused)
        #expect(error.offset == offset)
    }

    @Test func `Patches that overlap, are empty or change the length are refused`() throws {
        let (stream, source, field) = try clock()
        let patch = try source.patch(field, to: Int64(1))
        let inner = Patch(offset: field.offset + 7, old: [0], new: [1])
        for patches in [
            [patch, patch], [patch, inner], [Patch(offset: field.offset, old: [], new: [])],
            [Patch(offset: field.offset, old: [0], new: [0, 1])],
        ] {
            #expect(throws: StreamError.self) { try PatchSet(patches, for: stream) }
        }
        let next = Patch(offset: field.offset + 8, old: [0], new: [1])
        #expect(throws: Never.self) { try PatchSet([patch, next], for: stream) }
    }

    @Test func `A value that the field cannot hold is refused`() throws {
        let (stream, source, _) = try clock()
        let period = try #require(stream.sections(vmsd: "mc146818rtc").first?.field("period"))
        #expect(period.size == 4)
        #expect(try source.patch(period, to: UInt64(UInt32.max)).new == [0xff, 0xff, 0xff, 0xff])
        for value in [-1, Int64(UInt32.max) + 1] {
            let error = try #require(throws: StreamError.self) { try source.patch(period, to: value) }
            #expect(error.kind == .noSuchField)
        }
        let memory = try #require(stream.sections(vmsd: "mc146818rtc").first?.field("cmos_data"))
        #expect(throws: StreamError.self) { try source.patch(memory, to: 1) }
    }
}
