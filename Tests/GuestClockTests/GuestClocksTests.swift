import MigrationStream
import Testing
import Time

@testable import GuestClock

@Suite("The clocks of a machine")
struct GuestClocksTests {
    private static let timer = DeviceImage.timer(virtual: 10_000_000_000)

    private static func offsetDevice(_ name: String, version: UInt32, offset: Int128 = 0) -> DeviceImage {
        StateBuilder().number("offset", "int64", 8, offset).image(name, version: version)
    }

    @Test(
        "A layout of an unknown version is refused by the device's name",
        arguments: KnownClocks.entries.keys.sorted()
    )
    func unknownVersion(device: String) {
        let image = StateBuilder().image(device, version: 77)
        #expect(throws: ClockError.unknownVersion(device: device, section: device, version: 77)) {
            try GuestClocks([Self.timer, image])
        }
    }

    @Test("So is one of the virtual clock, and a stream without it")
    func virtualClock() {
        #expect(throws: ClockError.unknownVersion(device: "timer", section: "timer", version: 9)) {
            try GuestClocks([StateBuilder().image("timer", version: 9)])
        }
        #expect(throws: ClockError.missingSection("timer")) { try GuestClocks([]) }
    }

    @Test(
        "A known device without its fields is refused by the field's name",
        arguments: KnownClocks.entries.filter { $0.key != "m48t59" }.keys.sorted()
    )
    func missingField(device: String) {
        for version in KnownClocks.entries[device]?.versions ?? [] {
            let image = StateBuilder().image(device, version: version)
            let error = #expect(throws: ClockError.self) { try GuestClocks([Self.timer, image]) }
            #expect(error?.description.contains(device) == true)
        }
    }

    @Test(
        "A clock that nobody knows, or that cannot be set, is reported and left alone",
        arguments: ["acme-rtc", "allwinner-rtc"]
    )
    func uncontrollable(device: String) throws {
        let clocks = try GuestClocks([Self.timer, StateBuilder().image(device, version: 4)])
        let reading = try #require(clocks.state.readings.last)
        #expect(!reading.controllable)
        #expect(reading.device == device)
        #expect(reading.reason != nil)
        let plan = try clocks.plan(policy: .host, scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.patches.isEmpty)
        #expect(plan.notes.contains { $0.contains(device) })
    }

    @Test("A clock that follows the base gets the same base again on the virtual clock")
    func sameBase() throws {
        let settings = ClockSettings.test(base: .utc)
        let clocks = try GuestClocks([Self.timer, Self.offsetDevice("ds1338", version: 2)], settings: settings)
        let plan = try clocks.plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed)
        // 1 700 000 000, the second in which the process started.
        #expect(plan.rtcArgument == "base=2023-11-14T22:13:20,clock=vm")
        #expect(plan.rtcBase == "2023-11-14T22:13:20")
        #expect(plan.patches.isEmpty)
        #expect(plan.notes.contains { $0.contains("within 1 s") })
        #expect(plan.expected.rtcNs == 1_700_000_010_000_000_000)
    }

    @Test("A machine whose clocks all keep their own time needs no base")
    func noBase() throws {
        let clocks = try GuestClocks([Self.timer, .mc146818(base: 1, lastUpdate: 0)])
        #expect(try clocks.plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed).rtcBase == nil)
    }

    private static let baseOnly = StateBuilder().number("lock", "uint8", 1, 0).number("addr", "uint16", 2, 0)
        .image("m48t59", version: 1)

    @Test("A clock that follows the base alone is moved by the base, on the virtual clock to the second")
    func baseOnlyVirtual() throws {
        let clocks = try GuestClocks([Self.timer, Self.baseOnly])
        #expect(clocks.state.rtcNs == Int64(ClockSettings.baseSeconds + 10) * 1_000_000_000)
        let plan = try clocks.plan(policy: .offset(.seconds(3_600)), scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.rtcBase == "2024-02-29T13:00:00")
        #expect(plan.expected.rtcNs == Int64(ClockSettings.baseSeconds + 3_610) * 1_000_000_000)
        let moved = try clocks.plan(policy: .offset(.seconds(3_600)), scope: .all, resumeAt: GuestClocks.resumed)
        #expect(moved.rtcBase == "2024-02-29T12:00:00")
        #expect(moved.expected.rtcNs == plan.expected.rtcNs)
    }

    @Test("On the host's clock the base is reckoned from the start of the new process")
    func baseOnlyHost() throws {
        let settings = ClockSettings.test(clock: .host, base: .utc)
        let clocks = try GuestClocks([Self.timer, Self.baseOnly], settings: settings)
        let start = GuestClocks.resumed - .seconds(7)
        let launched = try clocks.launchSettings(
            policy: .offset(.seconds(-60)),
            scope: .rtc,
            resumeAt: GuestClocks.resumed,
            processStart: start
        )
        let plan = try clocks.plan(
            policy: .offset(.seconds(-60)),
            scope: .rtc,
            resumeAt: GuestClocks.resumed,
            launched: launched
        )
        let stopped = GuestClocks.stopped.nanosecondsSinceEpoch / 1_000_000_000
        #expect(plan.expected.rtcNs == (stopped - 60) * 1_000_000_000)
        let late = try clocks.plan(
            policy: .offset(.seconds(-60)),
            scope: .rtc,
            resumeAt: GuestClocks.resumed + .seconds(3),
            launched: launched
        )
        #expect(late.notes.contains { $0.contains("off by 3 s") })
    }

    @Test("A clock without any state is known by its machine, a second behind")
    func stateless() throws {
        let clocks = try GuestClocks([Self.timer], machineType: "sam460ex")
        #expect(clocks.state.rtcNs == Int64(ClockSettings.baseSeconds + 9) * 1_000_000_000)
        let plan = try clocks.plan(
            policy: .at(HostInstant(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)),
            scope: .rtc,
            resumeAt: GuestClocks.resumed
        )
        #expect(plan.expected.rtcNs == 1_800_000_000_000_000_000)
    }

    @Test("A base that QEMU could not parse is refused")
    func baseOutOfRange() throws {
        let clocks = try GuestClocks([Self.timer, Self.baseOnly])
        #expect(throws: ClockError.self) {
            try clocks.plan(
                policy: .at(HostInstant(nanosecondsSinceEpoch: 0)),
                scope: .rtc,
                resumeAt: GuestClocks.resumed
            )
        }
    }

    @Test("Two digits of year refuse a time of another century")
    func twoDigits() throws {
        let clocks = try GuestClocks([Self.timer, Self.offsetDevice("ds1338", version: 2)])
        #expect(throws: ClockError.outOfRange(device: "ds1338", section: "ds1338", field: "offset")) {
            try clocks.plan(policy: .offset(.seconds(86_400 * 365 * 90)), scope: .rtc, resumeAt: GuestClocks.resumed)
        }
    }

    @Test("A clock that the guest has not switched on shows nothing, and moves all the same")
    func switchedOff() throws {
        let image = StateBuilder().bytes("reg", "uint32", [UInt8](repeating: 0, count: 96), count: 24)
            .number("offset", "int64", 8, 5).image("aspeed.rtc", version: 2)
        let clocks = try GuestClocks([Self.timer, image])
        #expect(clocks.state.readings.last?.readsNs == nil)
        #expect(clocks.state.readings.last?.controllable == true)
        let plan = try clocks.plan(policy: .offset(.seconds(60)), scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(try image.patched(with: plan.patches).signed("offset") == 65)
    }

    @Test("Alarms of pl031 and goldfish are told")
    func alarms() throws {
        let pl031 = StateBuilder(at: 5_000).number("tick_offset_vmstate", "uint32", 4, 100)
            .number("mr", "uint32", 4, 150).number("im", "uint32", 4, 1)
            .number("pl031/tick-offset.tick_offset", "uint32", 4, 100).image("pl031", version: 1)
        let goldfish = StateBuilder(at: 6_000).number("tick_offset_vmstate", "uint64", 8, 0)
            .number("alarm_next", "uint64", 8, 77).number("alarm_running", "uint32", 4, 1)
            .number("tick_offset", "uint64", 8, 3).image("goldfish_rtc", version: 3)
        let readings = try GuestClocks([Self.timer, pl031, goldfish]).state.readings
        #expect(readings[1].alarms == [.init(firesAtNs: 150_000_000_000)])
        #expect(readings[2].alarms == [.init(firesAtNs: 77)])
    }

    @Test("The counter of ls7a_rtc goes on where it was, and its calendar obeys")
    func ls7a() throws {
        let image = StateBuilder().number("offset_toy", "int64", 8, 0).number("offset_rtc", "int64", 8, 1_000)
            .number("cntrctl", "uint32", 4, 1 << 11 | 1 << 8).image("ls7a_rtc", version: 1)
        for clock in [RTCClockSource.host, .vm] {
            let clocks = try GuestClocks([Self.timer, image], settings: .test(clock: clock))
            let plan = try clocks.plan(policy: .offset(.seconds(5)), scope: .rtc, resumeAt: GuestClocks.resumed)
            let (before, after) = (clocks.state.readings[2], plan.expected.readings[2])
            #expect(before.kind == .counter)
            #expect(before.readsNs == after.readsNs)
        }
    }

    @Test("A time of day that goes back, takes the guest's clocksource with it, is said to; nothing else is refused")
    func todBackwards() throws {
        let units: Int128 = (2_208_988_800 + 1_700_000_000) * 4_096_000_000
        let image = StateBuilder().bytes("data", "buffer", [1])
            .bytes("rest", "buffer", (0..<9).reversed().map { UInt8(truncatingIfNeeded: units >> ($0 * 8)) })
            .image("todclock", version: 1)
        let clocks = try GuestClocks([Self.timer, image])
        #expect(clocks.state.rtcNs == 1_700_000_000_000_000_000)
        let plan = try clocks.plan(policy: .offset(.seconds(-10)), scope: .rtc, resumeAt: GuestClocks.resumed)
        #expect(plan.expected.rtcNs == 1_699_999_990_000_000_000)
        #expect(plan.notes.contains { $0.contains("goes back") })
        #expect(throws: ClockError.backward(nanoseconds: -10_000_000_000)) {
            try clocks.plan(policy: .offset(.seconds(-10)), scope: .all, resumeAt: GuestClocks.resumed)
        }
        let absent = StateBuilder().bytes("data", "buffer", [UInt8](repeating: 0, count: 10))
            .image("todclock", version: 1)
        #expect(try GuestClocks([Self.timer, absent]).state.readings.last?.controllable == false)
    }

    @Test("A clock that runs on from its load is planned for that")
    func loadedEarly() throws {
        let image = StateBuilder().bytes("regs", "uint32", [UInt8](repeating: 0, count: 76), count: 19)
            .number("tick_offset", "uint32", 4, 1_000_000).image("xlnx-zynmp.rtc", version: 1)
        let clocks = try GuestClocks(
            [Self.timer, image],
            settings: .test(clock: .host),
            savedAt: GuestClocks.stopped + .seconds(2)
        )
        #expect(clocks.state.rtcNs == 999_998_000_000_000)
        let plan = try clocks.plan(
            policy: .continue,
            scope: .rtc,
            resumeAt: GuestClocks.resumed,
            loadAt: GuestClocks.resumed - .seconds(4)
        )
        #expect(try image.patched(with: plan.patches).unsigned("tick_offset") == 999_998 - 4)
        #expect(plan.notes.contains { $0.contains("loaded") })
    }

    @Test(
        "An edited checkpoint reads the wanted time at the instant it stopped, by its new settings",
        arguments: [RTCClockSource.host, .vm]
    )
    func edit(clock: RTCClockSource) throws {
        let images = [
            Self.timer, Self.offsetDevice("ds1338", version: 2), Self.baseOnly,
            StateBuilder(at: 9_000).number("ns_offset", "int64", 8, 1_000).image("spapr/rtc", version: 1),
        ]
        let clocks = try GuestClocks(images, settings: .test(clock: clock))
        let plan = try clocks.edit(policy: .offset(.seconds(3_600)), scope: .rtc)
        let edited = try GuestClocks(images.map { $0.patched(with: plan.patches) }, settings: plan.settings)
        for (before, after) in zip(clocks.state.readings, edited.state.readings) where before.kind == .rtc {
            #expect(after.readsNs == before.readsNs.map { $0 + 3_600_000_000_000 })
        }
        #expect(edited.state.readings == plan.expected.readings)
    }

    @Test("State without its launch can be read and not be planned")
    func unknownLaunch() throws {
        let clocks = try GuestClocks(
            images: [Self.timer, Self.offsetDevice("ds1338", version: 2)],
            machineType: nil,
            origin: nil
        )
        #expect(clocks.state.virtualNs == 10_000_000_000)
        #expect(clocks.state.readings.last?.readsNs == nil)
        #expect(throws: ClockError.self) {
            try clocks.plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed)
        }
        #expect(throws: ClockError.self) { try clocks.edit(policy: .continue, scope: .rtc) }
    }

    @Test("Errors are sentences that name what and tell what to do")
    func errors() {
        let errors: [ClockError] = [
            .unknownVersion(device: "d", section: "s", version: 1),
            .missingField(device: "d", section: "s", field: "f"),
            .missingSection("timer"), .outOfRange(device: "d", section: "s", field: "f"),
            .backward(nanoseconds: -5_000_000),
            .cannotMove(device: "d", section: "s", reason: "r"), .invalidArgument("-rtc x", reason: "r"),
            .unreadable(section: "s", reason: "r"),
        ]
        for error in errors { #expect(error.description.count > 20) }
        #expect(errors[4].description.contains("0.005000000 s"))
    }
}
