import Testing
import Time

@testable import GuestClock

@Suite("The CMOS clock: timers, alarms, a clock that the guest holds")
struct MC146818Tests {
    /// The guest's second began 400 ms ago, the alarm is 10 s and 600 ms ahead; on the virtual clock.
    private static let virtual: Int128 = 50_400_000_000
    private static let image = DeviceImage.mc146818(
        base: ClockSettings.baseSeconds,
        lastUpdate: 0,
        updateTimer: 51_000_000_000,
        nextAlarm: 61_000_000_000,
        periodic: 50_500_000_000,
        nextPeriodic: 50_500_000_000,
        registers: [0x0b: 0x22]
    )

    private func plan(
        _ policy: ClockPolicy,
        image: DeviceImage = image,
        scope: ClockScope = .rtc
    ) throws -> (DeviceImage, ClockPlan) {
        let timer = DeviceImage.timer(virtual: Self.virtual)
        let plan = try GuestClocks([timer, image])
            .plan(policy: policy, scope: scope, resumeAt: GuestClocks.resumed)
        return (image.patched(with: plan.patches), plan)
    }

    @Test("The alarm that the guest has enabled is told, by the guest's time")
    func alarm() throws {
        let state = try GuestClocks([.timer(virtual: Self.virtual), Self.image]).state
        #expect(state.readings.last?.alarms.map(\.firesAtNs) == [Int64(ClockSettings.baseSeconds + 61) * 1_000_000_000])
        #expect(state.readings.last?.resolutionNs == 1_000_000_000)
    }

    @Test("The alarm keeps its guest time when the clock is set forward or back", arguments: [5, -3_600, 8])
    func alarmMoves(seconds: Int64) throws {
        let (moved, plan) = try plan(.offset(.seconds(seconds)))
        #expect(try moved.unsigned("next_alarm_time") == 61_000_000_000 - Int128(seconds) * 1_000_000_000)
        #expect(
            plan.expected.readings.last?.alarms == [
                .init(firesAtNs: Int64(ClockSettings.baseSeconds + 61) * 1_000_000_000)
            ]
        )
    }

    @Test("An alarm that is jumped over goes off at once, not in centuries")
    func alarmPassed() throws {
        let (moved, _) = try plan(.offset(.seconds(3_600)))
        #expect(try moved.unsigned("next_alarm_time") == 0)
        #expect(try moved.signed("update_timer") == Self.virtual)
    }

    @Test("An alarm that is not set stays so")
    func noAlarm() throws {
        let image = DeviceImage.mc146818(base: 1_000, lastUpdate: 0)
        let (moved, _) = try plan(.offset(.seconds(5)), image: image)
        #expect(try moved.unsigned("next_alarm_time") == Int128(Int64.max))
        #expect(try moved.signed("update_timer") == -1)
        #expect(try moved.signed("periodic_timer") == -1)
    }

    @Test("The next look at the time is at the guest's next full second")
    func updateTimer() throws {
        let (moved, _) = try plan(.offset(.milliseconds(250)))
        #expect(try moved.signed("update_timer") == Self.virtual + 350_000_000)
    }

    @Test("With the host's clock, everything moves on by the pause")
    func hostClock() throws {
        let stopped = GuestClocks.stopped, resumed = GuestClocks.resumed
        let now = Int128(stopped.nanosecondsSinceEpoch), pause = Int128((resumed - stopped).nanoseconds)
        let image = DeviceImage.mc146818(
            base: 1_000_000,
            lastUpdate: now - 5_400_000_000,
            updateTimer: now + 600_000_000,
            nextAlarm: now + 10_600_000_000,
            periodic: now + 1_000,
            nextPeriodic: now + 1_000
        )
        let clocks = try GuestClocks([.timer(virtual: 0), image], settings: .test(clock: .host))
        let plan = try clocks.plan(policy: .continue, scope: .rtc, resumeAt: resumed)
        let moved = image.patched(with: plan.patches)
        #expect(try moved.unsigned("last_update") == now - 5_400_000_000 + pause)
        #expect(try moved.signed("update_timer") == now + 600_000_000 + pause)
        #expect(try moved.unsigned("next_alarm_time") == now + 10_600_000_000 + pause)
        #expect(try moved.signed("periodic_timer") == now + 1_000 + pause)
        #expect(try moved.signed("next_periodic_time") == now + 1_000 + pause)
        #expect(plan.expected.rtcNs == clocks.state.rtcNs)
        #expect(plan.expected.rtcNs == 1_000_005_400_000_000)
        #expect(plan.settings.base == .utc)
    }

    static let notations: [(UInt8, [Int: UInt8])] = [
        // Bit SET with: BCD and 24 hours, binary and 24 hours, BCD and 12 hours (afternoon).
        (0x82, [0: 0x59, 2: 0x30, 4: 0x13, 7: 0x29, 8: 0x02, 9: 0x24, 0x32: 0x20]),
        (0x86, [0: 59, 2: 30, 4: 13, 7: 29, 8: 2, 9: 24, 0x32: 20]),
        (0x80, [0: 0x59, 2: 0x30, 4: 0x81, 7: 0x29, 8: 0x02, 9: 0x24, 0x32: 0x20]),
    ]

    @Test("A clock that the guest holds reads what its registers hold, and is set there", arguments: notations)
    func held(registerB: UInt8, registers: [Int: UInt8]) throws {
        let image = DeviceImage.mc146818(
            base: 5,
            lastUpdate: 0,
            updateTimer: 51_000_000_000,
            nextAlarm: 61_000_000_000,
            registers: registers.merging([0x0b: registerB]) { $1 }
        )
        let clocks = try GuestClocks([.timer(virtual: Self.virtual), image])
        #expect(clocks.state.rtcNs == 1_709_213_459_000_000_000)
        let unchanged = try clocks.plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(unchanged.patches.isEmpty)
        #expect(unchanged.expected.rtcNs == clocks.state.rtcNs)
        for seconds in [Int64(1), 86_400, -43_200, 40_000_000] {
            let plan = try clocks.plan(
                policy: .offset(.seconds(seconds)),
                scope: .rtc,
                resumeAt: GuestClocks.resumed
            )
            #expect(plan.expected.rtcNs == 1_709_213_459_000_000_000 + seconds * 1_000_000_000)
        }
    }

    @Test("A divider in reset holds the clock too")
    func divider() throws {
        let registers: [Int: UInt8] = [0x0a: 0x66, 0: 0x59, 2: 0x30, 4: 0x13, 7: 0x29, 8: 0x02, 9: 0x24, 0x32: 0x20]
        let image = DeviceImage.mc146818(base: 5, lastUpdate: 0, registers: registers)
        #expect(try GuestClocks([.timer(virtual: 0), image]).state.rtcNs == 1_709_213_459_000_000_000)
    }

    @Test("Registers that hold no date are told and left alone")
    func heldWithoutDate() throws {
        let image = DeviceImage.mc146818(base: 5, lastUpdate: 0, registers: [0x0b: 0x82, 0: 0xff])
        let clocks = try GuestClocks([.timer(virtual: Self.virtual), image])
        #expect(clocks.state.rtcNs == nil)
        #expect(clocks.state.readings.last?.controllable == false)
        let plan = try clocks.plan(policy: .host, scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.patches.isEmpty)
        #expect(plan.notes.contains { $0.contains("mc146818rtc") && $0.contains("registers") })
    }

    @Test("A checkpoint of which nothing else is known shows the seconds that its registers were saved with")
    func registersOnly() throws {
        let registers: [Int: UInt8] = [0: 0x59, 2: 0x30, 4: 0x13, 7: 0x29, 8: 0x02, 9: 0x24, 0x32: 0x20]
        let image = DeviceImage.mc146818(base: 5, lastUpdate: 0, registers: registers)
        let state = try GuestClocks(images: [.timer(virtual: 9), image], machineType: nil, origin: nil).state
        #expect(state.rtcNs == 1_709_213_459_000_000_000)
        #expect(state.virtualNs == 9)
        #expect(state.readings.last?.controllable == false)
    }

    @Test("With clock=rt it is not controllable, and said so")
    func realtime() throws {
        let clocks = try GuestClocks([.timer(virtual: 0), Self.image], settings: .test(clock: .rt))
        #expect(clocks.state.readings.last?.controllable == false)
        let plan = try clocks.plan(policy: .host, scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.patches.isEmpty)
        #expect(plan.notes.count == 1)
        #expect(plan.rtcArgument.hasSuffix("clock=rt"))
    }

    @Test("A guest that keeps local time reads the host's local time by `host`")
    func localTime() throws {
        let image = DeviceImage.mc146818(base: 1_700_000_000, lastUpdate: 0)
        let settings = ClockSettings.test(base: .localtime, localUTCOffset: .seconds(3_600))
        let plan = try GuestClocks([.timer(virtual: 0), image], settings: settings)
            .plan(policy: .host, scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.expected.rtcNs == (GuestClocks.resumed + .seconds(3_600)).nanosecondsSinceEpoch)
    }

    @Test("A time before the epoch is refused")
    func beforeEpoch() throws {
        #expect(throws: ClockError.outOfRange(device: "mc146818rtc", section: "mc146818rtc", field: "last_update")) {
            try plan(.at(HostInstant(nanosecondsSinceEpoch: -1)))
        }
    }
}
