import MigrationStream
import Testing

@Suite struct DeviceDumpTests {
    @Test(arguments: [
        ("pc-dump-7.2", "pc-7.2"), ("pc-dump-10.0", "pc-10.0"), ("virt-dump-7.2", "virt-7.2"),
        ("virt-dump-10.0", "virt-10.0"),
    ])
    func `A dump is read with the layouts of a checkpoint of the same machine`(name: String, like: String) throws {
        let recording = Recording(name: name)
        let source = try MemorySource(recording.bytes())
        let checkpoint = try Recording(name: like).map()
        let dump = try CheckpointStream(deviceDump: source, layouts: checkpoint.layouts)

        #expect(dump.format == .deviceDump)
        #expect(dump.machineType == nil)
        #expect(dump.sections.map(\.idstr) == checkpoint.sections.map(\.idstr))
        let clock = try #require(dump.sections(vmsd: "timer").first?.field("cpu_clock_offset"))
        let virtual = try source.integer(clock, as: Int64.self)
        #expect(virtual > 100_000_000 && virtual < 60_000_000_000)
        let last = try #require(dump.sections.last)
        #expect(last.offset + last.size + 1 == source.size)
    }

    @Test(arguments: ["pc-dump-7.2", "pc-dump-10.0", "virt-dump-7.2", "virt-dump-10.0"])
    func `Without layouts a dump has sections and no fields`(name: String) throws {
        let source = try MemorySource(Recording(name: name).bytes())
        let dump = try CheckpointStream(deviceDump: source, layouts: [])
        #expect(dump.sections.count > 10)
        #expect(dump.sections.allSatisfy { $0.fields.isEmpty })
        #expect(try CheckpointStream(reading: source) == dump, "a dump is recognised as one")
    }

    @Test func `A table of the caller finds its section by the end of the name`() throws {
        let source = try MemorySource(Recording(name: "pc-dump-10.0").bytes())
        let table = SectionLayout(
            vmsdName: "mc146818rtc",
            version: 3,
            payloadSize: 245,
            fields: [Field(path: "base_rtc", type: "uint64", offset: 205, size: 8)]
        )
        let dump = try CheckpointStream(deviceDump: source, layouts: [table])
        let section = try #require(dump.sections(vmsd: "mc146818rtc").first)
        let base = try source.integer(#require(section.field("base_rtc")), as: Int64.self)
        #expect((1_709_208_000...1_709_208_030).contains(base))
    }

    @Test(arguments: [(2, 245, 205), (3, 246, 205), (3, 245, 240)] as [(UInt32, UInt64, UInt64)])
    func `A table of another version or length, or with fields beyond it, is not used`(
        version: UInt32,
        payloadSize: UInt64,
        offset: UInt64
    ) throws {
        let source = try MemorySource(Recording(name: "pc-dump-10.0").bytes())
        let table = SectionLayout(
            vmsdName: "mc146818rtc",
            version: version,
            payloadSize: payloadSize,
            fields: [Field(path: "base_rtc", type: "uint64", offset: offset, size: 8)]
        )
        let dump = try CheckpointStream(deviceDump: source, layouts: [table])
        #expect(dump.sections.allSatisfy { $0.fields.isEmpty })
    }

    @Test func `A layout whose subsection is not there is not used`() throws {
        let source = try MemorySource(Recording(name: "virt-dump-10.0").bytes())
        let right = try #require(try Recording(name: "virt-10.0").map().layouts.first { $0.vmsdName == "pl031" })
        #expect(right.subsections.map(\.name) == ["pl031/tick-offset"])
        #expect(right.field("pl031/tick-offset.tick_offset")?.offset == 47)
        let wrong = SectionLayout(
            idstr: right.idstr,
            instance: right.instance,
            vmsdName: right.vmsdName,
            version: right.version,
            payloadSize: right.payloadSize,
            fields: right.fields,
            subsections: [.init(name: "pl031/tick-offseT", version: 1, offset: 24)]
        )
        let found = try CheckpointStream(deviceDump: source, layouts: [right]).sections(vmsd: "pl031")
        #expect(found.first?.fields.isEmpty == false)
        let missed = try CheckpointStream(deviceDump: source, layouts: [wrong]).sections(vmsd: "pl031")
        #expect(missed.first?.fields.isEmpty == true)
    }

    @Test func `A whole stream is no dump`() throws {
        let source = try MemorySource(Recording(name: "pc-unstarted-10.0").bytes())
        let error = try #require(throws: StreamError.self) { try CheckpointStream(deviceDump: source, layouts: []) }
        #expect(error.kind == .unsupported)
    }
}
