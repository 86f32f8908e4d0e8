import Time

/// Machines whose guest reads, besides its real-time clock, what it measures time by.
extension ClockBoard {
    /// HPET: 10 ns of the virtual clock.
    static let pcHPET: ClockBoard = with(named: "pc") { board in
        board.name = "pc, HPET"
        board.prepare = { try $0.writeq(0xfed0_0010, 1) }
        board.counter = { qtest in
            Int64(try RegisterTime.stableHigh { (try qtest.readl(0xfed0_00f4), try qtest.readl(0xfed0_00f0)) }) * 10
        }
    }

    /// The TSC as TCG gives it: the host's ticks.
    static let pcTSC: ClockBoard = with(named: "pc") { board in
        board.name = "pc, TSC"
        board.guest = .bios("x86-tsc")
        board.counterByGuestCode = true
        board.counter = { qtest in
            guard let hertz = HostTicks.hertz else { throw TestSupportError("this host has no counter of ticks") }
            let ticks = try RegisterTime.stableHigh { (try qtest.readl(0x7004), try qtest.readl(0x7000)) }
            return Int64(Int128(ticks) * 1_000_000_000 / Int128(hertz))
        }
    }

    /// The clock page of KVM, and the TSC with it, as a guest reads them.
    static let pcKVM: ClockBoard = with(named: "pc") { board in
        board.name = "pc, kvmclock"
        board.arguments = ["-m", "8", "-accel", "kvm"]
        board.guest = .bios("x86-kvmclock")
        board.counterByGuestCode = true
        board.counter = { qtest in try PVClockPage.stable(qtest).time }
    }

    static let q35KVM: ClockBoard = with(named: "q35") { board in
        board.name = "q35, kvmclock"
        board.arguments = pcKVM.arguments
        board.guest = pcKVM.guest
        board.counterByGuestCode = true
        board.counter = pcKVM.counter
    }

    /// mtime: 10 MHz of the virtual clock.
    static let riscvTime: ClockBoard = with(named: "virt (riscv64)") { board in
        board.name = "virt (riscv64), mtime"
        board.counter = { Int64(try $0.readq(0x200_bff8)) * 100 }
    }

    /// The timebase of a POWER processor: 512 MHz.
    static let pseriesTimebase: ClockBoard = with(named: "pseries") { board in
        board.name = "pseries, timebase"
        board.guest = .firmware("ppc64-timebase")
        board.counterByGuestCode = true
        board.counter = { qtest in
            let ticks = try qtest.read(0x2_0000, count: 8).reduce(Int128(0)) { $0 << 8 | Int128($1) }
            return Int64(ticks * 1_000_000_000 / 512_000_000)
        }
    }

    /// The generic timer's counter of an ARM processor.
    static let armCounter: ClockBoard = with(named: "virt (arm)") { board in
        board.name = "virt (arm), counter"
        board.guest = .kernel("aarch64-counter")
        // Beyond the place of the kernel and of the device tree.
        board.arguments = ["-cpu", "cortex-a57", "-m", "16", "-accel", "tcg"]
        board.counterByGuestCode = true
        board.counter = { qtest in
            let hertz = Int128(try qtest.readq(0x4020_0008))
            guard hertz > 0 else { throw TestSupportError("the guest has not begun") }
            return Int64(Int128(try qtest.readq(0x4020_0000)) * 1_000_000_000 / hertz)
        }
    }

    /// A guest that counts the ticks of its timer, one each 10 ms, in machine or in supervisor mode.
    static func riscvTicks(_ guest: String) -> ClockBoard {
        with(named: "virt (riscv64)") { board in
            board.name = guest
            board.guest = .at(0x8000_0000, guest)
            board.counter = { Int64(try $0.readq(0x8000_1000)) }
        }
    }

    static func with(named name: String, _ change: (inout ClockBoard) -> Void) -> ClockBoard {
        guard var board = all.first(where: { $0.name == name }) else { fatalError("there is no board \(name)") }
        change(&board)
        return board
    }
}

/// KVM's clock page with a TSC reading of the same moment, as the guest `x86-kvmclock` copies them.
struct PVClockPage {
    let bytes: [UInt8]

    private func word(_ offset: Int) -> UInt64 {
        (0..<4).reversed().reduce(0) { $0 << 8 | UInt64(bytes[offset + $1]) }
    }

    /// Nanoseconds, by the formula of the page's interface.
    var time: Int64 {
        let tsc = word(0x24) << 32 | word(0x20)
        let stamp = word(12) << 32 | word(8)
        let system = word(20) << 32 | word(16)
        let multiplier = word(24)
        let shift = Int8(bitPattern: bytes[28])
        var delta = tsc &- stamp
        delta = shift < 0 ? delta >> UInt64(-shift) : delta << UInt64(shift)
        return Int64(truncatingIfNeeded: system &+ UInt64((UInt128(delta) * UInt128(multiplier)) >> 32))
    }

    var tsc: UInt64 { word(0x24) << 32 | word(0x20) }

    /// The last whole copy.
    static func stable(_ qtest: QtestSocket) throws -> PVClockPage {
        for _ in 0..<1000 {
            let number = try qtest.readl(0x7080)
            let page = PVClockPage(bytes: try qtest.read(0x7000 + UInt64(number & 1) * 0x40, count: 0x28))
            if number > 0, try qtest.readl(0x7080) == number { return page }
        }
        throw TestSupportError("the guest's copy of the clock page does not stand still")
    }
}
