import MigrationStream
import Testing

@Suite struct SequentialWalkTests {
    /// Where the description begins, its announcing byte included.
    private func descriptionOffset(_ stream: CheckpointStream) throws -> Int {
        let last = try #require(stream.sections.last)
        return Int(last.offset + last.size) + 1
    }

    @Test(arguments: Recording.described.filter { $0.name != "virt-mapped-10.0" })
    func `Without its description a stream has the same sections`(recording: Recording) throws {
        let whole = try recording.map()
        let cut = try MemorySource(Array(recording.bytes()[..<descriptionOffset(whole)]))
        let walked = try CheckpointStream(reading: cut)
        #expect(walked.method == .sequential)
        #expect(walked.sections.map(Bare.init) == whole.sections.map(Bare.init))
        #expect(walked.deviceStateOffset == whole.deviceStateOffset)
        #expect(walked.ramBlocks == whole.ramBlocks)
        #expect(walked.machineType == whole.machineType)
    }

    @Test(arguments: Recording.small)
    func `A description that is cut short or no JSON changes no section`(recording: Recording) throws {
        let whole = try recording.map()
        let bytes = try recording.bytes()
        let description = try descriptionOffset(whole)
        var broken = bytes
        broken[description + 6] = UInt8(ascii: "!")
        for damaged in [Array(bytes.dropLast(1)), Array(bytes[..<(description + 3)]), broken] {
            let walked = try CheckpointStream(reading: MemorySource(damaged))
            #expect(walked.method == .sequential)
            #expect(walked.sections.map(Bare.init) == whole.sections.map(Bare.init))
        }
    }

    @Test func `A description that contradicts one section still tells the fields of the others`() throws {
        let stream = try Recording(name: "s390x-7.2").map()
        #expect(stream.method == .sequential)
        #expect(stream.sections.first { $0.idstr == "s390_css" }?.fields.isEmpty == true)
        #expect(stream.sections(vmsd: "timer").first?.field("cpu_clock_offset") != nil)
    }

    @Test(arguments: ["pc-unstarted-10.0", "virt-10.0", "pseries-10.0", "s390x-10.0"])
    func `The tail alone gives the same devices`(name: String) throws {
        let recording = Recording(name: name)
        let whole = try recording.map()
        for start in [whole.deviceStateOffset, whole.deviceStateOffset - 1000] {
            let tail = try CheckpointStream(tail: Array(recording.bytes()[Int(start)...]), at: start)
            #expect(tail.sections == whole.sections)
            #expect(tail.deviceStateOffset == whole.deviceStateOffset)
            #expect(tail.size == whole.size)
            #expect(tail.machineType == nil)
        }
    }

    @Test func `The tail alone of a machine with devices before RAM gives those behind it`() throws {
        let recording = Recording(name: "q35-devices-10.0")
        let whole = try recording.map()
        let start = whole.deviceStateOffset
        let tail = try CheckpointStream(tail: Array(recording.bytes()[Int(start)...]), at: start)
        #expect(tail.sections == Array(whole.sections.dropFirst()))
    }

    @Test func `The tail alone of a stream without description must begin with the first device`() throws {
        let recording = Recording(name: "pc-nodescription-10.0")
        let whole = try recording.map()
        let bytes = try recording.bytes()
        let start = whole.deviceStateOffset
        let tail = try CheckpointStream(tail: Array(bytes[Int(start)...]), at: start)
        #expect(tail.sections == whole.sections)
        #expect(throws: StreamError.self) { try CheckpointStream(tail: Array(bytes[Int(start - 1)...]), at: start - 1) }
    }

    @Test(arguments: ["pc-decoy-7.2", "pc-decoy-10.0", "virt-decoy-7.2", "virt-decoy-10.0"])
    func `The end of a stream in guest RAM is never taken for the end of the stream`(name: String) throws {
        let recording = Recording(name: name)
        let bytes = try recording.bytes()
        // The guest's fake clock section, with a value that no real one has.
        let decoy =
            Array("timer".utf8) + [0, 0, 0, 0, 0, 0, 0, 2] + [UInt8](repeating: 0, count: 18)
            + Array("fasle".utf8.prefix(3))
        let places = bytes.indices.dropLast(decoy.count).filter {
            bytes[$0] == decoy[0] && bytes[$0...].starts(with: decoy)
        }
        let place = try #require(places.first, "the recording has the decoy in its RAM")

        let whole = try recording.map()
        #expect(UInt64(place) < whole.deviceStateOffset)
        let timers = whole.sections(vmsd: "timer")
        #expect(timers.count == 1)
        #expect(timers[0].offset == whole.deviceStateOffset)
        let walked = try CheckpointStream(reading: MemorySource(Array(bytes[..<descriptionOffset(whole)])))
        #expect(walked.sections.map(Bare.init) == whole.sections.map(Bare.init))
    }

    @Test func `Device state that a guest made look like sections is an error without a description, never a guess`()
        throws
    {
        let recording = Recording(name: "pc-unstarted-10.0")
        let whole = try recording.map()
        let bytes = try recording.bytes()
        let clock = try #require(whole.sections(vmsd: "mc146818rtc").first)
        let memory = try #require(clock.field("cmos_data"))
        let id = Array(bytes[Int(clock.offset) + 1..<Int(clock.offset) + 5])
        // In the clock's battery-backed memory: a footer of its section, and another section of the same number.
        let forged = [0x7e] + id + [0x04] + id + [1, UInt8(ascii: "x")] + [0, 0, 0, 0, 0, 0, 0, 1]
        let offset = Int(memory.offset) + 64
        let patch = Patch(
            offset: UInt64(offset),
            old: Array(bytes[offset..<offset + forged.count]),
            new: forged
        )
        var patched = bytes
        try PatchSet([patch], for: whole).apply(to: &patched)

        #expect(try CheckpointStream(reading: MemorySource(patched)).sections == whole.sections)
        let cut = try MemorySource(Array(patched[..<descriptionOffset(whole)]))
        let error = try #require(throws: StreamError.self) { try CheckpointStream(reading: cut) }
        #expect(error.kind == .corrupt)
        #expect(error.section == "mc146818rtc")
        // The same devices as a dump: a layout of the same machine says where the section ends.
        let dump = Array(bytes[..<8]) + patched[Int(whole.deviceStateOffset)..<(try descriptionOffset(whole))]
        #expect(throws: StreamError.self) { try CheckpointStream(deviceDump: MemorySource(dump), layouts: []) }
        let told = try CheckpointStream(deviceDump: MemorySource(dump), layouts: whole.layouts)
        #expect(told.sections.map(\.payloadSize) == whole.sections.map(\.payloadSize))
    }
}
