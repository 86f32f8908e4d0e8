import MigrationStream
import Testing
import Time

@testable import GuestClock

@Suite("The clocksource: virtual clock, kvmclock, counters")
struct ClocksourceTests {
    private static let timer = DeviceImage.timer(virtual: 10_000_000_000, ticks: 1_000)
    private static let rtc = DeviceImage.mc146818(base: 1_700_000_000, lastUpdate: 0)

    private static func cpu(_ instance: UInt32, tsc: Int128, khz: Int128? = 2_500_000) -> DeviceImage {
        var builder = StateBuilder(at: 100_000 + UInt64(instance) * 1_000).number("env.tsc", "uint64", 8, tsc)
        if let khz { builder = builder.number("cpu/tsc_khz.env.tsc_khz", "int64", 8, khz) }
        return builder.image("cpu", version: 12, instance: instance)
    }

    private static func kvmclock(_ clock: Int128, reliable: Int128?) -> DeviceImage {
        var builder = StateBuilder(at: 200_000).number("clock", "uint64", 8, clock)
        if let reliable {
            builder = builder.number("kvmclock/clock_is_reliable.clock_is_reliable", "bool", 1, reliable)
        }
        return builder.image("kvmclock", version: 1)
    }

    private func plan(
        _ images: [DeviceImage],
        _ policy: ClockPolicy,
        _ scope: ClockScope = .all,
        settings: ClockSettings = .test()
    ) throws -> ClockPlan {
        try GuestClocks(images, settings: settings).plan(policy: policy, scope: scope, resumeAt: GuestClocks.resumed)
    }

    @Test(
        "Scope rtc leaves it alone under every policy",
        arguments: [ClockPolicy.continue, .offset(.seconds(9)), .host]
    )
    func rtcScope(policy: ClockPolicy) throws {
        let images = [Self.timer, Self.rtc, Self.cpu(0, tsc: 5), Self.kvmclock(7, reliable: 1)]
        let plan = try plan(images, policy, .rtc, settings: .test(accelerator: .kvm))
        #expect(plan.expected.virtualNs == 10_000_000_000)
        #expect(plan.expected.kvmclockNs == 7)
        #expect(try Self.timer.patched(with: plan.patches).signed("cpu_clock_offset") == 10_000_000_000)
        #expect(try Self.cpu(0, tsc: 5).patched(with: plan.patches).unsigned("env.tsc") == 5)
    }

    @Test("Under TCG the virtual clock moves, and the x86 TSC in the host's ticks")
    func tcg() throws {
        let plan = try plan([Self.timer, Self.rtc, Self.cpu(0, tsc: 5)], .offset(.seconds(30)))
        let moved = Self.timer.patched(with: plan.patches)
        #expect(try moved.signed("cpu_clock_offset") == 40_000_000_000)
        #expect(try moved.signed("cpu_ticks_offset") == 1_000 + 60_000_000_000)
        #expect(try Self.cpu(0, tsc: 5).patched(with: plan.patches).unsigned("env.tsc") == 5)
    }

    @Test("Without a TSC only the virtual clock moves")
    func tcgOther() throws {
        let plan = try plan([Self.timer, Self.rtc], .offset(.seconds(30)))
        let moved = Self.timer.patched(with: plan.patches)
        #expect(try moved.signed("cpu_clock_offset") == 40_000_000_000)
        #expect(try moved.signed("cpu_ticks_offset") == 1_000)
    }

    @Test("An unknown TSC frequency is an error that names the clock, only when it matters")
    func unknownFrequency() throws {
        let images = [Self.timer, Self.rtc, Self.cpu(0, tsc: 5)]
        let settings = ClockSettings.test(hostTSCHz: nil)
        #expect(throws: ClockError.self) { try plan(images, .offset(.seconds(1)), settings: settings) }
        _ = try plan(images, .continue, settings: settings)
    }

    @Test("Under KVM kvmclock and every processor's TSC move")
    func kvm() throws {
        let processors = [Self.cpu(0, tsc: 1_000), Self.cpu(1, tsc: 3_000)]
        let clock = Self.kvmclock(5_000_000_000, reliable: 1)
        let plan = try plan(
            [Self.timer, Self.rtc, clock] + processors,
            .offset(.seconds(100)),
            settings: .test(accelerator: .kvm)
        )
        #expect(try clock.patched(with: plan.patches).unsigned("clock") == 105_000_000_000)
        #expect(plan.expected.kvmclockNs == 105_000_000_000)
        #expect(try processors[0].patched(with: plan.patches).unsigned("env.tsc") == 1_000 + 250_000_000_000)
        #expect(try processors[1].patched(with: plan.patches).unsigned("env.tsc") == 3_000 + 250_000_000_000)
        #expect(try Self.timer.patched(with: plan.patches).signed("cpu_clock_offset") == 110_000_000_000)
        #expect(try Self.timer.patched(with: plan.patches).signed("cpu_ticks_offset") == 1_000)
    }

    @Test("A kvmclock that QEMU will reckon anew is said to be so", arguments: [nil, 0] as [Int128?])
    func unreliable(reliable: Int128?) throws {
        let images = [Self.timer, Self.kvmclock(5, reliable: reliable), Self.cpu(0, tsc: 1)]
        let plan = try plan(images, .offset(.seconds(1)), settings: .test(accelerator: .kvm))
        #expect(plan.notes.contains { $0.contains("kvmclock") })
    }

    @Test("The TSC's frequency is the host's where the stream does not tell it, or an error where nobody does")
    func tscFrequency() throws {
        let cpu = Self.cpu(0, tsc: 2_000_000_000, khz: nil)
        let kvm = ClockSettings.test(accelerator: .kvm)
        let state = try GuestClocks([Self.timer, cpu], settings: kvm).state
        #expect(state.readings.last?.readsNs == 1_000_000_000)
        let unknown = ClockSettings.test(accelerator: .kvm, hostTSCHz: nil)
        #expect(try GuestClocks([Self.timer, cpu], settings: unknown).state.readings.last?.controllable == false)
        #expect(throws: ClockError.self) { try plan([Self.timer, cpu], .offset(.seconds(1)), settings: unknown) }
    }

    @Test("ARM's counter is found in KVM's list of registers and moves")
    func arm() throws {
        func cpu(_ value: Int128, index: Int128 = 0x6030_0000_0013_df1a) -> DeviceImage {
            let eight = { (value: Int128) in (0..<8).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
            return StateBuilder(at: 300_000)
                .bytes("cpreg_vmstate_indexes", "uint64", eight(7) + eight(index), count: 2)
                .bytes("cpreg_vmstate_values", "uint64", eight(1) + eight(value), count: 2)
                .image("cpu", version: 22)
        }
        let settings = ClockSettings.test(accelerator: .kvm, hostTSCHz: 62_500_000)
        let plan = try plan([Self.timer, cpu(625)], .offset(.seconds(2)), settings: settings)
        let moved = try cpu(625).patched(with: plan.patches).bytes("cpreg_vmstate_values")
        #expect(moved.suffix(4).reduce(0) { $0 << 8 | Int($1) } == 625 + 125_000_000)
        #expect(moved.prefix(8) == [0, 0, 0, 0, 0, 0, 0, 1])
        #expect(plan.expected.readings.last?.readsNs == 2_000_010_000)
        let other = try GuestClocks([Self.timer, cpu(625, index: 9)], settings: settings)
        #expect(other.state.readings.count == 1)
        let unknown = ClockSettings.test(accelerator: .kvm, hostTSCHz: nil)
        #expect(throws: ClockError.self) {
            try GuestClocks([Self.timer, cpu(1)], settings: unknown)
                .plan(policy: .offset(.seconds(1)), scope: .all, resumeAt: GuestClocks.resumed)
        }
    }

    private static func icount(bias: Int128, count: Int128, shift: Int128? = nil) -> DeviceImage {
        var builder = StateBuilder(at: 64)
            .number("cpu_ticks_offset", "int64", 8, 0).number("cpu_clock_offset", "int64", 8, 99)
            .number("timer/icount.qemu_icount_bias", "int64", 8, bias)
            .number("timer/icount.qemu_icount", "int64", 8, count)
        if let shift { builder = builder.number("timer/icount/shift.icount_time_shift", "int16", 2, shift) }
        return builder.image("timer", version: 2)
    }

    @Test("A machine that counts instructions has its time in bias and count")
    func instructions() throws {
        let timer = Self.icount(bias: 1_000, count: 50)
        let settings = ClockSettings.test(icountShift: 4)
        #expect(try GuestClocks([timer], settings: settings).state.virtualNs == 1_800)
        let plan = try plan([timer, Self.cpu(0, tsc: 1)], .offset(.seconds(1)), settings: settings)
        #expect(try timer.patched(with: plan.patches).signed("timer/icount.qemu_icount_bias") == 1_000_001_000)
        #expect(plan.expected.virtualNs == 1_000_001_800)
        #expect(try GuestClocks([Self.icount(bias: 0, count: 2, shift: 3)]).state.virtualNs == 16)
    }

    @Test(
        "Without the length of an instruction its time is not known, and not made up",
        arguments: [nil, 60] as [Int128?]
    )
    func instructionsUnknown(shift: Int128?) throws {
        let clocks = try GuestClocks([Self.icount(bias: 1, count: 1, shift: shift), Self.rtc])
        #expect(clocks.state.virtualNs == nil)
        #expect(clocks.state.rtcNs == nil)
        #expect(clocks.state.readings.allSatisfy { !$0.controllable && $0.reason != nil })
    }

    @Test(
        "It only goes forward",
        arguments: [ClockPolicy.offset(.seconds(-1)), .at(HostInstant(nanosecondsSinceEpoch: 0))]
    )
    func forwardOnly(policy: ClockPolicy) throws {
        let error = #expect(throws: ClockError.self) { try plan([Self.timer, Self.rtc], policy) }
        #expect(error?.description.contains("forward") == true)
    }

    @Test("By `host` and `at` it moves as far as the real-time clock does")
    func followsRTC() throws {
        // The clock reads 1 700 000 010, the resume is at …200.
        for policy in [ClockPolicy.host, .at(GuestClocks.resumed)] {
            let plan = try plan([Self.timer, Self.rtc], policy)
            let distance = GuestClocks.resumed.nanosecondsSinceEpoch - 1_700_000_010_000_000_000
            #expect(plan.expected.virtualNs == 10_000_000_000 + distance)
            #expect(plan.expected.rtcNs == GuestClocks.resumed.nanosecondsSinceEpoch)
        }
    }

    @Test("Without a real-time clock `host` makes up for the pause, `at` has nothing to go by")
    func withoutRTC() throws {
        let plan = try plan([Self.timer], .host)
        #expect(plan.expected.virtualNs == 10_000_000_000 + (GuestClocks.resumed - GuestClocks.stopped).nanoseconds)
        #expect(throws: ClockError.self) { try self.plan([Self.timer], .at(GuestClocks.resumed)) }
    }

    @Test("A move beyond what fits is refused")
    func overflow() throws {
        let far = ClockPolicy.offset(Span(nanoseconds: .max))
        #expect(throws: ClockError.self) { try plan([Self.timer], far) }
        let clock = Self.kvmclock(Int128(UInt64.max), reliable: 1)
        #expect(throws: ClockError.self) {
            try plan([.timer(virtual: 0), clock], .offset(.seconds(1)), settings: .test(accelerator: .kvm))
        }
    }

    @Test("Timers that tick for ever go along, so that no tick is made up for")
    func periodicTimers() throws {
        let pit = StateBuilder(at: 400_000)
            .number("channels[0].next_transition_time", "int64", 8, 70)
            .number("channels[0].count_load_time", "int64", 8, 60)
            .number("channels[1].count_load_time", "int64", 8, 0)
            .number("channels[2].next_transition_time", "int64", 8, -1)
            .number("channels[0].next_transition_time", "int64", 8, 70)
            .image("i8254", version: 3)
        func apic(_ mode: Int128) -> DeviceImage {
            StateBuilder(at: 500_000)
                .bytes("lvt", "uint32", (0..<24).map { $0 == 1 ? UInt8(mode) : 0 }, count: 6)
                .number("initial_count_load_time", "int64", 8, 5).number("next_time", "int64", 8, 6)
                .number("timer_expiry", "int64", 8, 6).image("apic", version: 3)
        }
        let plan = try plan([Self.timer, Self.rtc, pit, apic(2)], .offset(.seconds(1)))
        let moved = pit.patched(with: plan.patches)
        #expect(
            moved.fields.map { field in
                moved.range(of: field).map { moved.payload[$0].suffix(5).reduce(0) { $0 << 8 | Int($1) } }
            }
                == [1_000_000_070, 1_000_000_060, 0, 0xff_ffff_ffff, 1_000_000_070]
        )
        #expect(try apic(2).patched(with: plan.patches).signed("timer_expiry") == 1_000_000_006)
        let single = try self.plan([Self.timer, apic(0)], .offset(.seconds(1)))
        #expect(try apic(0).patched(with: single.patches).signed("timer_expiry") == 6)
        #expect(try self.plan([Self.timer, pit], .continue).patches.isEmpty)
    }
}
