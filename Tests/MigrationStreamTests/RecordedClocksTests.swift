import MigrationStream
import Testing

/// What qemu-fixtures/record-streams.py gave the devices to remember, and what QEMU is known to put there.
@Suite struct RecordedClocksTests {
    private func value(_ name: String, _ vmsd: String, _ path: String) throws -> Int64 {
        let recording = Recording(name: name)
        let section = try #require(try recording.map().sections(vmsd: vmsd).first)
        return try MemorySource(recording.bytes()).integer(#require(section.field(path)))
    }

    @Test(arguments: ["pc-7.2", "pc-10.0", "q35-10.0", "virt-10.0", "pseries-10.0"])
    func `A machine that ran has a virtual clock above zero and below a minute`(name: String) throws {
        let clock = try value(name, "timer", "cpu_clock_offset")
        #expect(clock > 100_000_000 && clock < 60_000_000_000)
    }

    @Test(arguments: ["pc-unstarted-7.2", "pc-unstarted-10.0"])
    func `A machine that never ran has a virtual clock of zero`(name: String) throws {
        #expect(try value(name, "timer", "cpu_clock_offset") == 0)
    }

    @Test(arguments: ["pc-7.2", "pc-10.0", "q35-7.2", "q35-10.0", "microvm-7.2", "microvm-10.0", "pc-shared-10.0"])
    func `The PC clock has the base it was started with and the alarm it was given`(name: String) throws {
        let section = try #require(try Recording(name: name).map().sections(vmsd: "mc146818rtc").first)
        let source = try MemorySource(Recording(name: name).bytes())
        #expect(section.version == 3)
        #expect(section.payloadSize == 245)
        #expect(section.field("last_update")?.offset == section.payloadOffset + 213)
        // 2024-02-29T12:00:00Z, and the half minute at most that the firmware took.
        let base = try source.integer(#require(section.field("base_rtc")), as: Int64.self)
        #expect((1_709_208_000...1_709_208_030).contains(base))
        let cmos = try source.bytes(of: #require(section.field("cmos_data")))
        #expect([cmos[1], cmos[3], cmos[5]] == [0x56, 0x34, 0x12])
        #expect(section.field("cmos_data[5]") == nil, "a buffer is one piece")
    }

    @Test func `A counted clock has a subsection with fields of its own`() throws {
        let section = try #require(try Recording(name: "pc-icount-10.0").map().sections(vmsd: "timer").first)
        #expect(section.payloadSize == 103)
        #expect(section.field("timer/icount.qemu_icount_bias")?.offset == section.payloadOffset + 42)
        #expect(section.field("timer/icount.qemu_icount")?.offset == section.payloadOffset + 50)
        #expect(
            section.fields.contains { $0.path.hasPrefix("timer/icount.timer/icount/warp_timer.") },
            "a subsection of a subsection"
        )
    }

    @Test(arguments: ["virt-7.2", "virt-10.0"])
    func `The PL031 has the alarm it was given and its offset in a subsection`(name: String) throws {
        #expect(try value(name, "pl031", "mr") == 0x65e0_9b10)
        let offset = try value(name, "pl031", "pl031/tick-offset.tick_offset")
        #expect(offset == 1_709_208_000)
        let section = try #require(try Recording(name: name).map().sections(vmsd: "pl031").first)
        #expect(section.payloadSize == 51)
        #expect(section.field("pl031/tick-offset.tick_offset")?.offset == section.payloadOffset + 47)
    }

    @Test(arguments: ["riscv-7.2", "riscv-10.0"])
    func `The goldfish clock has the alarm it was given`(name: String) throws {
        let section = try #require(try Recording(name: name).map().sections(vmsd: "goldfish_rtc").first)
        // 7.2.0 had version 2; the stable releases behind it write version 3.
        #expect((section.version, section.payloadSize) == (3, 40))
        #expect(try value(name, "goldfish_rtc", "alarm_next") == 0x17b8_5b5d_8000_0000)
    }

    @Test func `The aspeed clock counts and has its offset`() throws {
        let old = try #require(try Recording(name: "ast2600-7.2").map().sections(vmsd: "aspeed.rtc").first)
        let new = try #require(try Recording(name: "ast2600-10.0").map().sections(vmsd: "aspeed.rtc").first)
        #expect((old.version, new.version) == (1, 2))
        #expect((old.payloadSize, new.payloadSize) == (104, 104))
        let control = try #require(new.field("reg[4]"))
        #expect(try MemorySource(Recording(name: "ast2600-10.0").bytes()).integer(control, as: UInt32.self) & 1 == 1)
    }

    @Test(arguments: ["s390x-7.2", "s390x-10.0"])
    func `The s390 clock is opaque bytes`(name: String) throws {
        let recording = Recording(name: name)
        let section = try #require(try recording.map().sections.first { $0.idstr == "todclock" })
        #expect(section.vmsdName == "todclock")
        #expect(section.fields.isEmpty)
        let payload = try MemorySource(recording.bytes()).payload(of: section)
        #expect(payload.count == 10)
        #expect(payload[0] == 1)
        // 4096 units a microsecond since 1900; the board takes the host's time for it, some instant after 2020.
        let units = payload[2...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(units / 4_096_000_000 > 2_208_988_800 + 1_577_836_800)
    }

    @Test func `The pseries clock is found by a name with a slash`() throws {
        let section = try #require(try Recording(name: "pseries-10.0").map().sections(vmsd: "spapr/rtc").first)
        #expect(section.field("ns_offset")?.size == 8)
    }
}
