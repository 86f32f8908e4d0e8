/// Timers of x86 machines that tick for ever, by the virtual clock: when that goes ahead, they have to go with it, since QEMU
/// would make up for every single tick, which after some days takes it minutes and after years for ever.
struct PeriodicTimer {
    /// What of a device's state is an instant of the virtual clock.
    private static let instants: [String: [String]] = [
        // The first channel's next transition is there twice, once outside its structure.
        "i8254": (0..<3).flatMap { ["channels[\($0)].count_load_time", "channels[\($0)].next_transition_time"] },
        "apic": ["initial_count_load_time", "next_time", "timer_expiry"],
    ]

    static func concerns(_ device: String) -> Bool { instants[device] != nil }

    /// - Parameter shift: of the virtual clock, nanoseconds, not negative.
    /// - Returns: nil when there is nothing to move, or when this is not a layout that is known: then it is left alone.
    static func moved(_ image: DeviceImage, by shift: Int128) throws(ClockError) -> DeviceImage? {
        guard shift > 0, isPeriodic(image), let paths = instants[image.device] else { return nil }
        var moved = image
        for path in paths { try moved.advance(path, by: shift) }
        return moved
    }

    private static func isPeriodic(_ image: DeviceImage) -> Bool {
        guard image.device == "apic" else { return true }
        // Bit 17 of the timer's vector entry, the first. A single shot goes off late, as it would have.
        guard let entry = try? image.unsigned("lvt[0]") else { return false }
        return entry & 1 << 17 != 0
    }
}
