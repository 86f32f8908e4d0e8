import MigrationStream
import Testing

@Suite struct HostileStreamTests {
    private func read(_ builder: StreamBuilder) throws -> CheckpointStream {
        try CheckpointStream(reading: MemorySource(builder.bytes))
    }

    private func expect(
        _ kind: StreamError.Kind,
        _ builder: StreamBuilder,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: StreamError.self, sourceLocation: sourceLocation) { try read(builder) }
        #expect(error?.kind == kind, "\(error.map(\.description) ?? "none")", sourceLocation: sourceLocation)
    }

    private let whole = StreamBuilder.head().smallRAM().device()

    @Test func `The smallest stream is read with and without description`() throws {
        let described = try read(whole.description(StreamBuilder.devices(StreamBuilder.eightBytes)))
        #expect(described.method == .vmdescription)
        let field = try #require(described.sections(vmsd: "dev").first?.field("x"))
        #expect(try MemorySource(whole.bytes).integer(field, as: UInt64.self) == 0x0102_0304_0506_0708)
        #expect(try read(whole.u8(0)).method == .sequential)
    }

    @Test func `What does not begin as a stream is no checkpoint`() {
        expect(.notACheckpoint, StreamBuilder())
        expect(.notACheckpoint, StreamBuilder(bytes: Array("QFI\u{fb} a disk image".utf8)))
        expect(.unsupported, StreamBuilder().u32(0x5145_564d).u32(2))
    }

    @Test func `A configuration with impossible lengths is refused`() {
        let start = StreamBuilder().u32(0x5145_564d).u32(3).u8(7)
        expect(.corrupt, start.u32(.max).appending([1, 2, 3]))
        expect(.corrupt, start.u32(0))
        expect(.truncated, start.u32(20).appending(Array("pc".utf8)))
        let head = StreamBuilder.head()
        expect(.corrupt, head.u8(5).name("configuration/capabilities").u32(1).u32(.max))
        expect(.corrupt, head.u8(5).name("configuration/target-page-bits").u32(1).u32(64))
        expect(.truncated, head.u8(5).name("configuration/uuid").u32(1).u32(64))
        expect(.unsupported, head.u8(5).name("configuration/other").u32(1))
        expect(.unsupported, head.u8(5).name("configuration/uuid").u32(2))
    }

    @Test func `RAM blocks that do not add up are refused`() {
        let start = StreamBuilder.head().section(1, 2, "ram", version: 4)
        expect(.corrupt, start.u64(4096 | 4).name("r").u64(8192).u64(16).footer(2))
        expect(.truncated, start.u64(~0xfff | 4).name("r").u64(4096))
        expect(.corrupt, start.u64(4096 | 4).name("r").u64(4096).u64(4096 | 4).name("r").u64(4096))
    }

    @Test func `Pages outside every block, of unknown form, or longer packed than plain are refused`() {
        let start = StreamBuilder.head().section(1, 2, "ram", version: 4).u64(4096 | 4).name("r").u64(4096).u64(16)
            .footer(2).u8(2).u32(2)
        expect(.corrupt, start.u64(8 | 4096).name("r").appending([UInt8](repeating: 0, count: 5000)))
        expect(.corrupt, start.u64(8).name("s").appending([UInt8](repeating: 0, count: 5000)))
        expect(.corrupt, start.u64(0x80).appending([UInt8](repeating: 0, count: 5000)))
        expect(.corrupt, start.u64(0x100).name("r").u32(.max))
        expect(.corrupt, start.u64(0x40).name("r").u8(1).u16(.max))
        expect(.truncated, start.u64(8).name("r").appending([1, 2, 3]))
    }

    @Test func `Mapped RAM that leads back, overlaps or ends beyond the file is refused`() {
        func block(version: UInt32 = 1, pageSize: UInt64 = 4096, bitmap: UInt64, pages: UInt64) -> StreamBuilder {
            StreamBuilder.head(capabilities: ["mapped-ram"]).section(1, 2, "ram", version: 4).u64(4096 | 4).name("r")
                .u64(4096).u32(version).u64(pageSize).u64(bitmap).u64(pages)
                .appending([UInt8](repeating: 0, count: 300))
        }
        expect(.corrupt, block(bitmap: 0, pages: 0))
        expect(.corrupt, block(pageSize: 0, bitmap: 200, pages: 300))
        expect(.corrupt, block(bitmap: 200, pages: 200))
        expect(.corrupt, block(bitmap: 200, pages: .max))
        expect(.truncated, block(bitmap: 200, pages: 1 << 40))
        expect(.unsupported, block(version: 2, bitmap: 200, pages: 300))
    }

    @Test func `Sections that continue without beginning, begin twice, or have another footer are refused`() {
        let head = StreamBuilder.head()
        expect(.corrupt, head.u8(2).u32(7))
        expect(.corrupt, head.u8(0x55))
        expect(.corrupt, head.section(1, 2, "ram").u64(16).footer(2).section(1, 2, "ram").u64(16).footer(2))
        expect(.corrupt, head.section(1, 2, "ram").u64(16).footer(3))
        expect(.corrupt, head.section(1, 2, "ram").u64(16).u8(0x55))
        expect(.unsupported, head.section(1, 2, "ram").u64(16).u8(2))
        expect(.unsupported, head.section(1, 2, "dirty-bitmap").u64(16).footer(2))
    }

    @Test func `Commands of postcopy are named, unknown ones are corrupt, harmless ones are skipped`() throws {
        let head = StreamBuilder.head()
        expect(.unsupported, head.u8(8).u16(3).u16(0))
        expect(.corrupt, head.u8(8).u16(99).u16(0))
        expect(.truncated, head.u8(8).u16(2).u16(.max))
        #expect(try read(head.u8(8).u16(2).u16(4).u32(1).smallRAM().device().u8(0)).sections.count == 1)
    }

    @Test func `A stream without RAM or without devices is an error`() {
        expect(.corrupt, StreamBuilder.head().u8(0))
        expect(.corrupt, StreamBuilder.head().device().u8(0))
        expect(.truncated, StreamBuilder.head().smallRAM())
        expect(.truncated, whole)
    }

    @Test func `An early device that nothing describes ends where another section begins`() throws {
        let stream = try read(StreamBuilder.head().device(9, "early").smallRAM().device().u8(0))
        #expect(stream.sections.map(\.idstr) == ["early", "dev"])
        #expect(stream.sections.first?.payloadSize == 8)
    }

    @Test func `Private formats of s390x and pseries that do not end are errors`() {
        let attributes = StreamBuilder.head().section(1, 6, "s390-storage_attributes")
        expect(.corrupt, attributes.u64(4))
        expect(.truncated, attributes.u64(2).u64(.max))
        let table = StreamBuilder.head().section(1, 6, "spapr/htab").u32(24).footer(6).u8(2).u32(6).u32(0)
        expect(.truncated, table.u32(1).u16(.max).u16(0))
    }

    @Test func `Lengths in a description beyond every number are errors`() {
        for fields in [
            #"{"name":"x","type":"uint64","size":18446744073709551615,"array_len":2}"#,
            #"{"name":"x","type":"uint64","size":18446744073709551615},{"name":"y","type":"uint64","size":1}"#,
            #"{"name":"x","type":"struct","size":0,"array_len":18446744073709551615,"struct":{"fields":[]}}"#,
            #"{"name":"x","type":"buffer","size":0,"array_len":18446744073709551615}"#,
            #"{"name":"x","type":"buffer","size":-1}"#, #"{"name":"x","size":1}"#, #"{"type":"buffer","size":1}"#,
        ] {
            let error = #expect(throws: StreamError.self) {
                let text = StreamBuilder.devices(fields)
                return try CheckpointStream(tail: StreamBuilder().device().description(text).bytes, at: 100)
            }
            #expect([.corrupt, .tooLarge].contains(error?.kind), "\(fields)")
        }
    }

    @Test func `A description that contradicts the stream gives way to the walk`() throws {
        for text in [
            StreamBuilder.devices(#"{"name":"x","type":"uint64","size":7}"#), StreamBuilder.devices("", name: "other"),
            StreamBuilder.devices(#"{"name":"x","type":"uint64","size":9999999999}"#), #"{"devices":7}"#, "{]",
            #"{"devices":[{"name":"dev"}]}"#, #"{"devices":[]}"#,
        ] {
            let stream = try read(whole.description(text))
            #expect(stream.sections.map(\.idstr) == ["dev"])
            #expect(stream.method == .sequential)
        }
    }

    @Test func `Nesting without end is an error and not the end`() throws {
        let text = #"{"devices":"# + String(repeating: "[", count: 100_000)
        #expect(try read(whole.description(text)).method == .sequential)
    }

    @Test func `A description of millions of values is refused before they take memory`() throws {
        let text = #"{"devices":["# + String(repeating: "0,", count: 4 << 20) + "0]}"
        let tail = StreamBuilder().device().description(text).bytes
        let error = try #require(throws: StreamError.self) { try CheckpointStream(tail: tail, at: 0) }
        #expect(error.kind == .tooLarge)
    }

    @Test func `A description that neither the stream nor the walk confirms is reported`() {
        let text = StreamBuilder.devices(#"{"name":"x","type":"uint64","size":7}"#)
        let broken = StreamBuilder.head().smallRAM().section(4, 3, "dev").appending([1, 2, 3]).footer(4)
        let error = #expect(throws: StreamError.self) { try read(broken.description(text)) }
        #expect(error?.section == "dev")
    }

    @Test func `Nested structures, arrays of them and subsections have their places`() throws {
        let fields = """
            {"name":"pair","array_len":2,"type":"struct","size":4,"struct":{"vmsd_name":"p","version":1,"fields":[\
            {"name":"a","type":"uint16","size":2},{"name":"b","type":"int16","size":2}]}},\
            {"name":"one","index":3,"type":"uint8","size":1},\
            {"name":"t","type":"tmp","size":1,"vmsd_name":"q","version":1,"fields":[{"name":"u","type":"bool","size":1}]},\
            {"name":"w","array_len":2,"type":"uint16","size":2},\
            {"name":"odd","array_len":2,"type":"struct","size":3,"struct":{"fields":[{"name":"z","type":"x","size":1}]}}
            """
        let payload = Array(UInt8(1)...8) + [9, 1, 0xff, 0xfe, 0xff, 0xfd] + [UInt8](repeating: 0, count: 6)
        let stream = StreamBuilder.head().smallRAM().device(payload: payload).description(StreamBuilder.devices(fields))
        let section = try #require(try read(stream).sections(vmsd: "dev").first)
        #expect(
            section.fields.map(\.path) == [
                "pair[0].a", "pair[0].b", "pair[1].a", "pair[1].b", "one[3]", "t.u", "w", "odd",
            ]
        )
        let source = MemorySource(stream.bytes)
        #expect(try source.integer(#require(section.field("pair[1].b")), as: Int64.self) == 0x0708)
        #expect(try source.integer(#require(section.field("w[1]")), as: UInt16.self) == 0xfffd)
        #expect(try source.integer(#require(section.field("t.u")), as: Int.self) == 1)
        #expect(section.field("w[2]") == nil)
        #expect(section.field("w[-1]") == nil)
        #expect(section.field("w[x]") == nil)
        #expect(try source.bytes(of: #require(section.field("odd"))).count == 6)
        let array = try #require(section.field("w"))
        #expect(throws: StreamError.self) { try source.integer(array, as: UInt64.self) }
    }
}
