/// Every real-time clock that a policy can move, on boards that both releases can run.
extension ClockBoard {
    static let all: [ClockBoard] = [
        pc("pc", { $0.machine("pc-i440fx") }),
        pc("q35", { $0.machine("pc-q35") }),
        pc("microvm", { _ in "microvm,rtc=on" }),
        pl031("virt (arm)", { $0.machine("virt") }),
        pl031("virt-3.0 (arm)", { _ in "virt-3.0" }, transfer: true),
        goldfish, goldfishM68k, spapr, aspeed, ds1338, rs5c372, ls7a, tod, snvs, zynqMP, m48t59, m41t80,
    ]

    private static func pc(_ name: String, _ machine: @escaping @Sendable (QEMUUnderTest) -> String) -> ClockBoard {
        ClockBoard(
            name: name,
            device: "mc146818rtc",
            architecture: "x86_64",
            machine: machine,
            arguments: ["-m", "8", "-accel", "tcg"],
            guest: .bios("x86-wait"),
            read: { qtest in
                func register(_ index: UInt8) throws -> Int {
                    try qtest.outb(0x70, index)
                    return RegisterTime.bcd(try qtest.inb(0x71))
                }
                let time = try RegisterTime.stable {
                    try [0, 2, 4, 7, 8, 9, 0x32].map { try register($0) }
                }
                return RegisterTime.ns(
                    year: time[6] * 100 + time[5],
                    month: time[4],
                    day: time[3],
                    hour: time[2],
                    minute: time[1],
                    second: time[0]
                )
            }
        )
    }

    /// - Parameter transfer: an old machine type, which saves the time relative to the virtual clock.
    private static func pl031(
        _ name: String,
        _ machine: @escaping @Sendable (QEMUUnderTest) -> String,
        transfer: Bool = false
    ) -> ClockBoard {
        ClockBoard(
            name: name,
            device: "pl031",
            architecture: "aarch64",
            machine: machine,
            arguments: ["-cpu", "cortex-a57", "-m", "8", "-accel", "tcg"],
            guest: .kernel("aarch64-wait"),
            runsFromTransfer: transfer,
            // The guest sets it back by a day: an offset of its own.
            prepare: { try $0.writel(0x901_0008, try $0.readl(0x901_0000) - 86_400) },
            read: { Int64(try $0.readl(0x901_0000)) * 1_000_000_000 }
        )
    }

    private static func goldfishTime(_ qtest: QtestSocket, _ base: UInt64) throws -> Int64 {
        // Reading the low word latches the high one.
        let low = try qtest.readl(base)
        return Int64(try qtest.readl(base + 4)) << 32 | Int64(low)
    }

    private static let goldfish = ClockBoard(
        name: "virt (riscv64)",
        device: "goldfish_rtc",
        architecture: "riscv64",
        machine: { _ in "virt" },
        arguments: ["-m", "8", "-bios", "none", "-accel", "tcg"],
        guest: .at(0x8000_0000, "riscv-wait"),
        resolution: 1,
        read: { try goldfishTime($0, 0x10_1000) }
    )

    private static let goldfishM68k = ClockBoard(
        name: "virt (m68k)",
        device: "goldfish_rtc",
        architecture: "m68k",
        machine: { $0.machine("virt") },
        arguments: ["-m", "8", "-accel", "tcg"],
        resolution: 1,
        read: { try goldfishTime($0, 0xff00_6000) }
    )

    private static let spapr = ClockBoard(
        name: "pseries",
        device: "spapr/rtc",
        architecture: "ppc64",
        machine: { $0.machine("pseries") },
        arguments: ["-m", "256", "-accel", "tcg"],
        guest: .firmware("ppc64-loop"),
        resolution: 1,
        read: { qtest in
            // The firmware call a guest makes: no arguments, eight results of 32 bits.
            let results: UInt64 = 0x20_0000
            try qtest.command("rtas get-time-of-day 0 0x10000 8 0x\(String(results, radix: 16))")
            let words = try (0..<8).map { index in
                try qtest.read(results + UInt64(index) * 4, count: 4).reduce(0) { $0 << 8 | Int($1) }
            }
            guard words[0] == 0 else { throw TestSupportError("RTAS get-time-of-day failed with \(words[0])") }
            let whole = RegisterTime.ns(
                year: words[1],
                month: words[2],
                day: words[3],
                hour: words[4],
                minute: words[5],
                second: words[6]
            )
            // The last word is the lower 32 bits of the whole time (a quirk of QEMU), which with the seconds tells all of it.
            return whole + Int64(UInt32(words[7]) &- UInt32(truncatingIfNeeded: whole))
        }
    )

    private static let aspeed = ClockBoard(
        name: "ast2600-evb",
        device: "aspeed.rtc",
        architecture: "arm",
        machine: { _ in "ast2600-evb" },
        arguments: ["-m", "256", "-accel", "tcg"],
        guest: .at(0x8000_0000, "arm-wait"),
        prepare: { qtest in
            // Unlocked, 2024-02-29 12:00:00, counting.
            try qtest.writel(0x1e78_1010, 2)
            try qtest.writel(0x1e78_1000, 29 << 24 | 12 << 16)
            try qtest.writel(0x1e78_1004, 20 << 16 | 24 << 8 | 2)
            try qtest.writel(0x1e78_1010, 1)
        },
        read: { qtest in
            let (low, high) = try RegisterTime.stable {
                let high = try qtest.readl(0x1e78_1004)
                return [try qtest.readl(0x1e78_1000), high]
            }.pair
            return RegisterTime.ns(
                year: Int(high >> 16 & 0x1f) * 100 + Int(high >> 8 & 0x7f),
                month: Int(high & 0xf),
                day: Int(low >> 24 & 0x1f),
                hour: Int(low >> 16 & 0x1f),
                minute: Int(low >> 8 & 0x3f),
                second: Int(low & 0x3f)
            )
        }
    )

    /// - Parameter skipped: bytes that come before the seconds.
    private static func imx25(_ device: String, address: UInt8, skipped: Int) -> ClockBoard {
        ClockBoard(
            name: "imx25-pdk with \(device)",
            device: device,
            architecture: "arm",
            machine: { _ in "imx25-pdk" },
            arguments: ["-accel", "tcg", "-device", "\(device),bus=i2c-bus.0,address=0x\(String(address, radix: 16))"],
            guest: .at(0x8000_0000, "arm-wait"),
            read: { qtest in
                let bytes = try I2CBus.imx(qtest, device: address, register: 0, count: 7 + skipped)
                return RegisterTime.ns(registers: Array(bytes.dropFirst(skipped)), twelveHours: skipped > 0)
            }
        )
    }

    private static let ds1338 = imx25("ds1338", address: 0x68, skipped: 0)

    /// It sends its last register first, and its hours by twelve.
    private static let rs5c372 = imx25("rs5c372", address: 0x32, skipped: 1)

    private static let ls7a = ClockBoard(
        name: "virt (loongarch64)",
        device: "ls7a_rtc",
        architecture: "loongarch64",
        machine: { _ in "virt" },
        arguments: ["-m", "1G", "-accel", "tcg"],
        broken: [.old: "this QEMU crashes when it saves this machine"],
        prepare: { qtest in
            // Calendar, counter and oscillator on.
            try qtest.writel(0x100d_0140, 1 << 13 | 1 << 11 | 1 << 8)
        },
        read: { qtest in
            let (time, year) = try RegisterTime.stable {
                [try qtest.readl(0x100d_012c), try qtest.readl(0x100d_0130)]
            }.pair
            return RegisterTime.ns(
                year: Int(year) + 1900,
                month: Int(time >> 26),
                day: Int(time >> 21 & 0x1f),
                hour: Int(time >> 16 & 0x1f),
                minute: Int(time >> 10 & 0x3f),
                second: Int(time >> 4 & 0x3f)
            )
        }
    )

    private static let tod = ClockBoard(
        name: "s390-ccw-virtio",
        device: "todclock",
        architecture: "s390x",
        machine: { $0.machine("s390-ccw-virtio") },
        arguments: ["-m", "8", "-accel", "tcg"],
        guest: .kernel("s390x-tod"),
        resolution: 1,
        alwaysVirtual: true,
        readByGuestCode: true,
        read: { qtest in
            func stored() throws -> UInt64 {
                try qtest.read(0x2_0000, count: 8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            }
            // What stands there may be old when the host is busy: the next one is not.
            let last = try stored()
            var units = last
            while units == last { units = try stored() }
            // STCK stores the upper 64 of 72 bits: 4096 units a microsecond.
            return Int64(units / 4096 * 1000 + units % 4096 * 1000 / 4096) - 2_208_988_800_000_000_000
        }
    )

    private static let snvs = ClockBoard(
        name: "mcimx7d-sabre",
        device: "imx7.snvs",
        architecture: "arm",
        machine: { _ in "mcimx7d-sabre" },
        arguments: ["-m", "128", "-accel", "tcg"],
        broken: [.old: "this QEMU does not save this clock (see UnsavedClockTests)"],
        guest: .at(0x8000_0000, "arm-wait"),
        resolution: 30_518,
        prepare: { qtest in
            // The high half of the counter: 2^32 of 32768 Hz are 36 hours.
            try qtest.writel(0x3037_0050, UInt32(1_709_208_000 >> 17))
        },
        read: { qtest in
            let count = try RegisterTime.stableHigh {
                (try qtest.readl(0x3037_0050), try qtest.readl(0x3037_0054))
            }
            return Int64(Int128(count) * 1_000_000_000 / 32_768)
        }
    )

    private static let zynqMP = ClockBoard(
        name: "xlnx-zcu102",
        device: "xlnx-zynmp.rtc",
        architecture: "aarch64",
        machine: { _ in "xlnx-zcu102" },
        arguments: ["-m", "128", "-accel", "tcg"],
        extra: [.new: ["-audio", "none"]],
        guest: .at(0, "aarch64-wait"),
        runsFromTransfer: true,
        read: { Int64(try $0.readl(0xffa6_0010)) * 1_000_000_000 }
    )

    private static let m48t59 = ClockBoard(
        name: "SS-5",
        device: "m48t59",
        architecture: "sparc",
        machine: { _ in "SS-5" },
        arguments: ["-m", "32", "-accel", "tcg"],
        baseOnly: true,
        read: { qtest in
            let time = try RegisterTime.stable {
                try (0x1ff9...0x1fff).map { RegisterTime.bcd(try qtest.readb(0x7120_0000 + $0)) }
            }
            // Second, minute, hour, weekday, day, month, years from 1968 on, two digits of them.
            return RegisterTime.ns(
                year: 1968 + time[6],
                month: time[5],
                day: time[4],
                hour: time[2],
                minute: time[1],
                second: time[0]
            )
        }
    )

    private static let m41t80 = ClockBoard(
        name: "sam460ex",
        device: "m41t80",
        architecture: "ppc",
        machine: { _ in "sam460ex" },
        arguments: ["-m", "64", "-accel", "tcg"],
        broken: [.old: "this QEMU crashes when it loads this machine"],
        baseOnly: true,
        read: { qtest in
            let time = try RegisterTime.stable {
                try (1...7).map { RegisterTime.bcd(try I2CBus.ppc4xx(qtest, device: 0x68, register: $0)) }
            }
            // Second, minute, hour, weekday, day, month, year.
            return RegisterTime.ns(
                year: 2000 + time[6],
                month: time[5],
                day: time[4],
                hour: time[2],
                minute: time[1],
                second: time[0]
            )
        }
    )
}

extension [UInt32] {
    fileprivate var pair: (UInt32, UInt32) { (self[0], self[1]) }
}
