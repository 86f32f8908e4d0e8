import Testing
import Time

@testable import GuestClock

/// A kind of real-time clock, with what its guest would read from given state: written from the devices' own arithmetic, not
/// with the code under test.
struct RTCUnderTest: Sendable, CustomTestStringConvertible {
    /// The clocks of one instant.
    struct Clocks {
        /// That of `-rtc clock=`, and what it read when the state was saved or loaded.
        var device: Int128
        var transfer: Int128
        var virtual: Int128
        /// QEMU's time by `-rtc base=`, nanoseconds of which devices use the seconds.
        var timedate: Int128
    }

    var name: String
    var resolution: Int128
    /// Times that it can show, seconds since the epoch.
    var range: ClosedRange<Int64> = 0...9_000_000_000
    var make: @Sendable (inout SplitMix) -> DeviceImage
    var guestReads: @Sendable (DeviceImage, Clocks) throws -> Int128

    var testDescription: String { name }

    static let all: [RTCUnderTest] = [
        RTCUnderTest(
            name: "mc146818rtc",
            resolution: 1,
            make: { random in
                .mc146818(
                    base: Int128(random.next(below: 2_000_000_000)),
                    lastUpdate: Int128(random.next(below: 1_000_000_000_000)),
                    offset: Int128(random.next(below: 2) * 500_000_000)
                )
            },
            guestReads: { image, clocks in
                let base = try image.unsigned("base_rtc")
                let now = base * 1_000_000_000 + clocks.device - (try image.unsigned("last_update"))
                return Int128(Int64(truncatingIfNeeded: now + (try image.signed("offset"))))
            }
        ),
        RTCUnderTest(
            name: "pl031",
            resolution: 1_000_000_000,
            range: 0...4_294_967_295,
            make: { random in
                StateBuilder()
                    .number("tick_offset_vmstate", "uint32", 4, Int128(random.next(below: 1 << 32)))
                    .number("mr", "uint32", 4, 0).number("im", "uint32", 4, 0)
                    .number("pl031/tick-offset.tick_offset", "uint32", 4, Int128(random.next(below: 1 << 32)))
                    .image("pl031", version: 1)
            },
            guestReads: { image, clocks in
                let offset = try image.unsigned("pl031/tick-offset.tick_offset")
                return Int128(UInt32(truncatingIfNeeded: offset + clocks.device / 1_000_000_000)) * 1_000_000_000
            }
        ),
        RTCUnderTest(
            name: "pl031 of old machine types",
            resolution: 1_000_000_000,
            range: 0...4_294_967_295,
            make: { random in
                StateBuilder()
                    .number("tick_offset_vmstate", "uint32", 4, Int128(random.next(below: 1 << 32)))
                    .image("pl031", version: 1)
            },
            guestReads: { image, clocks in
                let saved = try image.unsigned("tick_offset_vmstate")
                let offset = saved - (clocks.transfer - clocks.virtual) / 1_000_000_000
                return Int128(UInt32(truncatingIfNeeded: offset + clocks.device / 1_000_000_000)) * 1_000_000_000
            }
        ),
        goldfish(version: 3),
        goldfish(version: 2),
        RTCUnderTest(
            name: "spapr/rtc",
            resolution: 1,
            make: { random in
                StateBuilder().number("ns_offset", "int64", 8, Int128(random.next(below: 1 << 60)) - 1 << 59)
                    .image("spapr/rtc", version: 1)
            },
            guestReads: { image, clocks in try image.signed("ns_offset") + clocks.device }
        ),
        RTCUnderTest(
            name: "aspeed.rtc 2",
            resolution: 1_000_000_000,
            make: { random in aspeed(random.next(below: 100_000_000), version: 2) },
            guestReads: { image, clocks in
                (clocks.timedate.floorDivided(by: 1_000_000_000) + (try image.signed("offset"))) * 1_000_000_000
            }
        ),
        RTCUnderTest(
            name: "aspeed.rtc 1",
            resolution: 1_000_000_000,
            // The distance from now has 32 bits.
            range: 1_000_000_000...2_400_000_000,
            make: { random in aspeed(random.next(below: 100_000_000), version: 1) },
            guestReads: { image, clocks in
                (clocks.timedate.floorDivided(by: 1_000_000_000) + (try image.signed("offset[0]"))) * 1_000_000_000
            }
        ),
        i2c("ds1338", version: 2),
        i2c("rs5c372", version: 1),
        RTCUnderTest(
            name: "ls7a_rtc",
            resolution: 1_000_000_000,
            make: { random in
                StateBuilder()
                    .number("offset_toy", "int64", 8, Int128(random.next(below: 1_000_000)))
                    .number("offset_rtc", "int64", 8, Int128(random.next(below: 1 << 40)))
                    .number("cntrctl", "uint32", 4, 1 << 11 | 1 << 8 | 1 << 13)
                    .image("ls7a_rtc", version: 1)
            },
            guestReads: { image, clocks in
                (clocks.timedate.floorDivided(by: 1_000_000_000) + (try image.signed("offset_toy"))) * 1_000_000_000
            }
        ),
        RTCUnderTest(
            name: "imx7.snvs",
            resolution: 30_518,
            range: 0...4_294_967_000,
            make: { random in
                StateBuilder().number("tick_offset", "uint64", 8, Int128(random.next(below: 1 << 46)))
                    .number("lpcr", "uint64", 8, 0).image("imx7.snvs", version: 1)
            },
            guestReads: { image, clocks in
                let ticks = (try image.unsigned("tick_offset")) + clocks.device * 32_768 / 1_000_000_000
                return ticks % (1 << 47) * 1_000_000_000 / 32_768
            }
        ),
        RTCUnderTest(
            name: "xlnx-zynmp.rtc",
            resolution: 1_000_000_000,
            range: 0...4_294_967_295,
            make: { random in
                StateBuilder().bytes("regs", "uint32", [UInt8](repeating: 0, count: 76), count: 19)
                    .number("tick_offset", "uint32", 4, Int128(random.next(below: 1 << 32)))
                    .image("xlnx-zynmp.rtc", version: 1)
            },
            guestReads: { image, clocks in
                let loaded = (try image.unsigned("tick_offset")) - clocks.transfer / 1_000_000_000
                return Int128(UInt32(truncatingIfNeeded: loaded + clocks.device / 1_000_000_000)) * 1_000_000_000
            }
        ),
        RTCUnderTest(
            name: "todclock",
            resolution: 1,
            make: { random in
                let units = (2_208_988_800 + Int128(random.next(below: 2_000_000_000))) * 4_096_000_000
                return StateBuilder().bytes("data", "buffer", [1])
                    .bytes("rest", "buffer", (0..<9).reversed().map { UInt8(truncatingIfNeeded: units >> ($0 * 8)) })
                    .image("todclock", version: 1)
            },
            guestReads: { image, _ in
                let units = image.payload[1...].reduce(Int128(0)) { $0 << 8 | Int128($1) }
                return units * 125 / 512 - 2_208_988_800_000_000_000
            }
        ),
    ]

    private static func goldfish(version: UInt32) -> RTCUnderTest {
        RTCUnderTest(
            name: "goldfish_rtc \(version)",
            resolution: 1,
            make: { random in
                let base = StateBuilder()
                    .number("tick_offset_vmstate", "uint64", 8, Int128(random.next(below: 1 << 60)))
                    .number("alarm_next", "uint64", 8, 0).number("alarm_running", "uint32", 4, 0)
                let whole =
                    version == 3 ? base.number("tick_offset", "uint64", 8, Int128(random.next(below: 1 << 60))) : base
                return whole.image("goldfish_rtc", version: version)
            },
            guestReads: { image, clocks in
                let offset =
                    version == 3
                    ? try image.unsigned("tick_offset")
                    : try image.unsigned("tick_offset_vmstate") - (clocks.transfer - clocks.virtual)
                return Int128(Int64(truncatingIfNeeded: offset + clocks.device))
            }
        )
    }

    private static func i2c(_ name: String, version: UInt32) -> RTCUnderTest {
        RTCUnderTest(
            name: name,
            resolution: 1_000_000_000,
            range: 946_684_800...4_102_444_799,
            make: { random in
                StateBuilder().number("parent_obj.address", "uint8", 1, 0x68)
                    .number("offset", "int64", 8, Int128(random.next(below: 100_000_000)))
                    .image(name, version: version)
            },
            guestReads: { image, clocks in
                (clocks.timedate.floorDivided(by: 1_000_000_000) + (try image.signed("offset"))) * 1_000_000_000
            }
        )
    }

    private static func aspeed(_ offset: UInt64, version: UInt32) -> DeviceImage {
        var registers = [UInt8](repeating: 0, count: 96)
        registers[19] = 1
        let base = StateBuilder().bytes("reg", "uint32", registers, count: 24)
        let whole =
            version == 2
            ? base.number("offset", "int64", 8, Int128(offset))
            : base.number("offset[0]", "int32", 4, Int128(offset)).number("offset[1]", "int32", 4, Int128(offset))
        return whole.image("aspeed.rtc", version: version)
    }
}

/// Numbers that look random and are the same in each run (SplitMix64).
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(below limit: UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return (mixed ^ mixed >> 31) % limit
    }
}
