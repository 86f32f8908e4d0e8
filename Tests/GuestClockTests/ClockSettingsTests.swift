import Testing
import Time

@testable import GuestClock

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("Clock settings")
struct ClockSettingsTests {
    private func read(
        _ arguments: String...,
        accelerator: ClockSettings.Accelerator? = nil
    ) throws(ClockError) -> ClockSettings {
        try ClockSettings(
            arguments: ["/usr/bin/qemu-system-x86_64"] + arguments,
            processStart: ClockSettings.started,
            qemu: QEMURelease(major: 7, minor: 2),
            accelerator: accelerator
        )
    }

    @Test("QEMU's own defaults: the host's clock, UTC, TCG")
    func defaults() throws {
        let settings = try read("-m", "8")
        #expect(settings.clock == .host)
        #expect(settings.base == .utc)
        #expect(settings.accelerator == .tcg)
        #expect(settings.icountShift == nil)
    }

    @Test("-rtc is read in any order, and later ones win")
    func rtc() throws {
        let one = try read("-rtc", "clock=vm,base=2024-02-29T12:00:00,driftfix=slew")
        #expect(one.clock == .vm)
        #expect(one.base == .instant(HostInstant(nanosecondsSinceEpoch: 1_709_208_000_000_000_000)))
        let two = try read("-rtc", "base=localtime,clock=vm", "--rtc", "clock=rt")
        #expect(two.clock == .rt)
        #expect(two.base == .localtime)
        #expect(try read("-rtc", "base=utc").base == .utc)
    }

    @Test("What QEMU would not take is refused", arguments: ["clock=sun", "base=tomorrow", "base=2024-02-30T99:00:00"])
    func refused(argument: String) {
        #expect(throws: ClockError.self) { try read("-rtc", argument) }
    }

    @Test(
        "Every way to choose an accelerator is known, the first of several counts",
        arguments: [
            (["-accel", "kvm"], ClockSettings.Accelerator.kvm),
            (["-accel", "tcg,thread=single"], .tcg),
            (["-accel", "accel=kvm,kernel-irqchip=off"], .kvm),
            (["-enable-kvm"], .kvm),
            (["-machine", "q35,accel=kvm:tcg"], .kvm),
            (["-M", "accel=tcg"], .tcg),
            (["-machine", "pc"], .tcg),
            (["-append", "a,,b=c", "-machine", "virt,x=a,,accel=b"], .tcg),
        ]
    )
    func accelerator(arguments: [String], accelerator: ClockSettings.Accelerator) throws {
        let settings = try ClockSettings(
            arguments: arguments,
            processStart: ClockSettings.started,
            qemu: QEMURelease(major: 10, minor: 0)
        )
        #expect(settings.accelerator == accelerator)
    }

    @Test("The accelerator that QEMU itself told wins over the arguments")
    func acceleratorTold() throws {
        #expect(try read("-machine", "pc,accel=kvm:tcg", accelerator: .tcg).accelerator == .tcg)
        #expect(throws: ClockError.self) { try read("-accel", "xen") }
    }

    @Test("-icount tells how long an instruction is, unless it adapts")
    func icount() throws {
        #expect(try read("-icount", "shift=4,sleep=on").icountShift == 4)
        #expect(try read("-icount", "7").icountShift == 7)
        #expect(try read("-icount", "shift=auto").icountShift == nil)
    }

    @Test("The argument for a launch says what the settings say, and is read back to them")
    func argument() throws {
        let settings = ClockSettings.test()
        #expect(settings.rtcArgument == "base=2024-02-29T12:00:00,clock=vm")
        #expect(try read("-rtc", settings.rtcArgument).base == settings.base)
        #expect(ClockSettings.test(clock: .host, base: .utc).rtcArgument == "base=utc,clock=host")
        #expect(ClockSettings.test(clock: .host, base: .localtime).rtcArgument == "base=localtime,clock=host")
    }

    @Test(
        "Settings encode and decode to themselves",
        arguments: [RTCBase.utc, .localtime, .instant(ClockSettings.started)]
    )
    func codable(base: RTCBase) throws {
        let settings = ClockSettings.test(base: base, icountShift: 3)
        let encoded = try JSONEncoder().encode(settings)
        #expect(try JSONDecoder().decode(ClockSettings.self, from: encoded) == settings)
    }

    @Test("A base of another form does not decode")
    func badBase() {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([RTCBase].self, from: Data(#"["mars"]"#.utf8)) }
    }
}
