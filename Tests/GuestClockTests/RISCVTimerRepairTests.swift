import MigrationStream
import Testing
import Time

@testable import GuestClock

@Suite("The repair of RISC-V timers")
struct RISCVTimerRepairTests {
    private static func processor(_ instance: UInt32, enabled: Int128, pending: Int128 = 0) -> DeviceImage {
        StateBuilder(at: 10_000 + UInt64(instance) * 100).number("env.mie", "uint64", 8, enabled)
            .number("env.mip", "uint64", 8, pending).image("cpu", version: 9, instance: instance)
    }

    private static func common(_ instance: UInt32, request: Int128 = 0) -> DeviceImage {
        StateBuilder(at: 20_000 + UInt64(instance) * 100).number("halted", "uint32", 4, 0)
            .number("interrupt_request", "uint32", 4, request).image("cpu_common", version: 1, instance: instance)
    }

    private func patches(
        _ images: [DeviceImage],
        settings: ClockSettings,
        to release: QEMURelease? = nil
    ) throws -> [Patch] {
        let clocks = try GuestClocks([.timer(virtual: 0)] + images, settings: settings)
        let launched = try clocks.launchSettings(
            policy: .continue,
            scope: .rtc,
            resumeAt: GuestClocks.resumed,
            processStart: GuestClocks.resumed,
            qemu: release
        )
        return try clocks.plan(policy: .continue, scope: .rtc, resumeAt: GuestClocks.resumed, launched: launched)
            .patches
    }

    private static let new = QEMURelease(major: 10, minor: 2)
    private static let old = QEMURelease(major: 7, minor: 2)

    @Test(
        "Each processor gets the timer interrupts that it has enabled, and no other",
        arguments: [(Int128(0x20), Int128(0x20)), (0x80, 0x80), (0xaaa, 0xa0), (0x2a0, 0xa0)]
    )
    func repaired(enabled: Int128, pending: Int128) throws {
        let images = [Self.processor(0, enabled: enabled, pending: 0x200), Self.common(0, request: 1)]
        let patches = try patches(images, settings: .test(qemu: Self.old))
        #expect(try images[0].patched(with: patches).unsigned("env.mip") == pending | 0x200)
        #expect(try images[1].patched(with: patches).unsigned("interrupt_request") == 3)
    }

    @Test("Processors are told apart")
    func processors() throws {
        let images = [
            Self.processor(0, enabled: 0), Self.processor(1, enabled: 0x80), Self.common(0), Self.common(1),
        ]
        let patches = try patches(images, settings: .test(qemu: Self.old))
        #expect(try images[2].patched(with: patches).unsigned("interrupt_request") == 0)
        #expect(try images[3].patched(with: patches).unsigned("interrupt_request") == 2)
    }

    @Test("Nothing is repaired under KVM, nor from 10.2 to 10.2; an old release on either side needs it")
    func whenNeeded() throws {
        let images = [Self.processor(0, enabled: 0x80), Self.common(0)]
        #expect(try patches(images, settings: .test(qemu: Self.new)).isEmpty)
        #expect(try patches(images, settings: .test(accelerator: .kvm, qemu: Self.old)).isEmpty)
        #expect(try !patches(images, settings: .test(qemu: Self.new), to: Self.old).isEmpty)
        #expect(try !patches(images, settings: .test(qemu: Self.old), to: Self.new).isEmpty)
    }
}
