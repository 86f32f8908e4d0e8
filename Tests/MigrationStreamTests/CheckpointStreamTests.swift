import MigrationStream
import Testing

@Suite struct CheckpointStreamTests {
    @Test(arguments: Recording.described)
    func `Sections of a recorded stream lie one behind the other from the end of RAM to the end of the list`(
        recording: Recording
    ) throws {
        let source = try recording.file()
        let stream = try CheckpointStream(reading: source)
        #expect(stream.method == (recording.isDescribedWrongly ? .sequential : .vmdescription))
        #expect(stream.size == source.size)

        var next = stream.deviceStateOffset
        let devices = stream.sections.filter { $0.offset >= stream.deviceStateOffset }
        #expect(devices.count > 10)
        var misplaced: [String] = []
        for section in devices {
            let header = 14 + UInt64(section.idstr.utf8.count)
            if section.offset != next || section.payloadOffset != next + header
                || section.size != header + section.payloadSize + 5
            {
                misplaced.append(section.idstr)
            }
            next = section.offset + section.size
        }
        #expect(misplaced.isEmpty)
        // The end byte, then the description up to the last byte of the file.
        let rest = try source.read(at: next, count: 7)
        #expect(rest[0...1] == [0, 6])
        #expect(rest[2..<6].reduce(0) { $0 << 8 | UInt64($1) } == source.size - next - 6)
        #expect(devices.last?.idstr == "globalstate")
    }

    @Test(arguments: Recording.described)
    func `Fields lie in order within their payload and leave no more bytes than subsection headers take`(
        recording: Recording
    ) throws {
        var misplaced: [String] = []
        for section in try CheckpointStream(reading: recording.file()).sections where !section.fields.isEmpty {
            var next = section.payloadOffset
            for field in section.fields {
                // A subsection's header is 6 bytes and a name of at most 255; up to four of them nest here.
                if field.offset < next || field.offset - next > 4 * (6 + 255) {
                    misplaced.append("\(section.idstr) \(field.path)")
                }
                next = field.offset + field.size
            }
            if next > section.payloadOffset + section.payloadSize { misplaced.append(section.idstr) }
        }
        #expect(misplaced.isEmpty)
    }

    @Test(arguments: [
        ("pc-7.2", "pc-i440fx-7.2"), ("pc-10.0", "pc-i440fx-10.0"), ("q35-10.0", "pc-q35-10.0"),
        ("microvm-7.2", "microvm"), ("virt-7.2", "virt-7.2"), ("virt-10.0", "virt-10.0"), ("riscv-10.0", "virt"),
        ("s390x-10.0", "s390-ccw-virtio-10.0"), ("pseries-7.2", "pseries-7.2"), ("ast2600-7.2", "ast2600-evb"),
        ("pc-noconfiguration-7.2", nil),
    ])
    func `The machine type is the one that QEMU was started with`(name: String, machineType: String?) throws {
        #expect(try Recording(name: name).map().machineType == machineType)
    }

    @Test func `Only ARM has a page size in its configuration`() throws {
        #expect(try Recording(name: "virt-10.0").map().targetPageBits == 12)
        #expect(try Recording(name: "pc-10.0").map().targetPageBits == nil)
    }

    @Test func `A validated UUID is read`() throws {
        let stream = try Recording(name: "pc-uuid-10.0").map()
        #expect(
            stream.uuid == [
                0x6f, 0x0d, 0x4d, 0x4e, 0x7b, 0x1c, 0x4a, 0x53, 0x9a, 0x7f, 0x0c, 0x8a, 0x4f, 0xf1, 0xc0, 0xde,
            ]
        )
        #expect(try Recording(name: "pc-10.0").map().uuid == nil)
    }

    @Test(arguments: ["pc-mapped-10.0", "pc-mapped-multifd-10.0", "virt-mapped-10.0"])
    func `Mapped RAM is told from the classic form`(name: String) throws {
        let stream = try CheckpointStream(reading: Recording(name: name).file())
        #expect(stream.format == .mappedRAM)
        #expect(stream.capabilities == ["mapped-ram"])
        #expect(stream.ramBlocks.contains { $0.length == 8 << 20 })
    }

    @Test(arguments: ["pc-shared-7.2", "pc-shared-10.0"])
    func `RAM in shared files is listed and not expected in the stream`(name: String) throws {
        let stream = try Recording(name: name).map()
        #expect(stream.format == .classic)
        #expect(stream.capabilities == ["x-ignore-shared"])
        #expect(stream.ramBlocks.first == CheckpointStream.RAMBlock(name: "ram0", length: 8 << 20))
    }

    @Test(arguments: Recording.described)
    func `RAM blocks are listed`(recording: Recording) throws {
        let blocks = try CheckpointStream(reading: recording.file()).ramBlocks
        #expect(blocks.contains { [8 << 20, 256 << 20].contains($0.length) })
    }

    @Test func `Devices that are saved before RAM are mapped there`() throws {
        let stream = try Recording(name: "q35-devices-10.0").map()
        let early = try #require(stream.sections(vmsd: "virtio-mem-device-early").first)
        #expect(early.offset < stream.deviceStateOffset)
        #expect(early == stream.sections.first)
        #expect(!early.fields.isEmpty)
        #expect(stream.sections(vmsd: "virtio-mem").count == 1)
    }

    @Test func `A processor is a section each`() throws {
        let processors = try Recording(name: "pc-2cpu-10.0").map().sections(vmsd: "cpu")
        #expect(processors.map(\.instance) == [0, 1])
    }

    @Test(arguments: ["pc-nodescription-7.2", "pc-nodescription-10.0"])
    func `A stream without description is walked from its beginning`(name: String) throws {
        let stream = try Recording(name: name).map()
        #expect(stream.method == .sequential)
        #expect(stream.sections.first?.idstr == "timer")
        #expect(stream.sections.contains { $0.idstr == "mc146818rtc" && $0.payloadSize == 245 })
        #expect(stream.sections.last?.idstr == "globalstate")
        #expect(stream.sections.allSatisfy { $0.fields.isEmpty && $0.vmsdName == $0.idstr })
    }

    @Test(arguments: [
        ("pc-nofooter-10.0", "send-section-footer"), ("pc-postcopy-10.0", "postcopy"),
        ("pc-multifd-socket-10.0", "multifd"),
    ])
    func `Forms that cannot be taken apart are refused by name`(name: String, word: String) throws {
        let error = try #require(throws: StreamError.self) { try Recording(name: name).map() }
        #expect(error.kind == .unsupported)
        #expect(error.description.contains(word))
    }
}
