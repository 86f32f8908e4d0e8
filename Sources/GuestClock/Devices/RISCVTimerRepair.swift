/// Wakes RISC-V processors whose pending timer QEMU before 10.2 forgets when it loads a machine under TCG.
///
/// A guest that waits for its tick would wait for ever. Each processor gets one timer interrupt of each kind that it has
/// enabled; the guest finds that it is early and sets its timer again.
struct RISCVTimerRepair {
    static let pending = "env.mip"
    private static let enabled = "env.mie"
    private static let request = "interrupt_request"
    /// Supervisor and machine timer, the same bits in `mip` and `mie`.
    private static let timers: Int128 = 1 << 5 | 1 << 7
    /// QEMU's "a hard interrupt is waiting".
    private static let hardInterrupt: Int128 = 2
    /// The first release that saves the timers itself.
    static let mended = QEMURelease(major: 10, minor: 2)

    /// - Parameters:
    ///   - processor: a section `cpu` with a field `env.mip`.
    ///   - common: the section `cpu_common` of the same processor.
    /// - Returns: both, repaired; nil if the processor waits for no timer.
    static func repaired(
        processor: DeviceImage,
        common: DeviceImage
    ) throws(ClockError) -> (processor: DeviceImage, common: DeviceImage)? {
        let missing = try processor.unsigned(enabled) & timers
        guard missing != 0 else { return nil }
        var (processor, common) = (processor, common)
        try processor.setUnsigned(pending, to: processor.unsigned(pending) | missing)
        try common.setUnsigned(request, to: common.unsigned(request) | hardInterrupt)
        return (processor, common)
    }
}
