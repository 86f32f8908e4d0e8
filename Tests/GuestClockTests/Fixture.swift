import MigrationStream
import Time

@testable import GuestClock

/// Hand-made device state: fields one behind the other, as QEMU writes them.
struct StateBuilder {
    private var fields: [Field] = []
    private var payload: [UInt8] = []
    private let origin: UInt64

    init(at origin: UInt64 = 4_096) { self.origin = origin }

    func number(_ path: String, _ type: String, _ size: Int, _ value: Int128) -> StateBuilder {
        bytes(path, type, (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }

    func bytes(_ path: String, _ type: String, _ bytes: [UInt8], count: Int? = nil) -> StateBuilder {
        var copy = self
        copy.fields.append(
            Field(
                path: path,
                type: type,
                offset: origin + UInt64(payload.count),
                size: UInt64(bytes.count),
                count: count
            )
        )
        copy.payload += bytes
        return copy
    }

    func image(_ device: String, version: UInt32, instance: UInt32 = 0) -> DeviceImage {
        DeviceImage(
            device: device,
            section: device,
            instance: instance,
            version: version,
            payloadOffset: origin,
            fields: fields,
            payload: payload
        )
    }
}

extension DeviceImage {
    static func timer(virtual: Int128, ticks: Int128 = 7, at origin: UInt64 = 64) -> DeviceImage {
        StateBuilder(at: origin)
            .number("cpu_ticks_offset", "int64", 8, ticks)
            .number("unused", "unused_buffer", 8, 0)
            .number("cpu_clock_offset", "int64", 8, virtual)
            .image("timer", version: 2)
    }

    static func mc146818(
        base: Int128,
        lastUpdate: Int128,
        offset: Int128 = 0,
        updateTimer: Int128 = -1,
        nextAlarm: Int128 = Int128(Int64.max),
        periodic: Int128 = -1,
        nextPeriodic: Int128 = 0,
        registers: [Int: UInt8] = [:],
        version: UInt32 = 3
    ) -> DeviceImage {
        var cmos = [UInt8](repeating: 0, count: 128)
        cmos[0x0a] = 0x26
        cmos[0x0b] = 0x02
        for (index, value) in registers { cmos[index] = value }
        return StateBuilder()
            .bytes("cmos_data", "buffer", cmos)
            .number("periodic_timer", "timer", 8, periodic)
            .number("next_periodic_time", "int64", 8, nextPeriodic)
            .number("base_rtc", "uint64", 8, base)
            .number("last_update", "uint64", 8, lastUpdate)
            .number("offset", "int64", 8, offset)
            .number("update_timer", "timer", 8, updateTimer)
            .number("next_alarm_time", "uint64", 8, nextAlarm)
            .image("mc146818rtc", version: version)
    }

    /// The bytes with which a new process would load.
    func patched(with patches: [Patch]) -> DeviceImage {
        var copy = self
        for patch in patches {
            let start = patch.offset.subtractingReportingOverflow(payloadOffset)
            guard !start.overflow, start.partialValue < UInt64(payload.count) else { continue }
            let range = Int(start.partialValue)..<Int(start.partialValue) + patch.new.count
            guard Array(payload[range]) == patch.old else { continue }
            copy.replace(range, with: patch.new)
        }
        return copy
    }
}

extension ClockSettings {
    static let started = HostInstant(nanosecondsSinceEpoch: 1_700_000_000_250_000_000)
    /// 2024-02-29T12:00:00.
    static let baseSeconds: Int128 = 1_709_208_000

    static func test(
        clock: RTCClockSource = .vm,
        base: RTCBase = .instant(HostInstant(nanosecondsSinceEpoch: Int64(baseSeconds) * 1_000_000_000)),
        accelerator: Accelerator = .tcg,
        qemu: QEMURelease = QEMURelease(major: 10, minor: 0),
        hostTSCHz: Int64? = 2_000_000_000,
        icountShift: Int? = nil,
        localUTCOffset: Span = .zero
    ) -> ClockSettings {
        ClockSettings(
            clock: clock,
            base: base,
            accelerator: accelerator,
            processStart: started,
            qemu: qemu,
            hostTSCHz: hostTSCHz,
            icountShift: icountShift,
            localUTCOffset: localUTCOffset
        )
    }
}

extension GuestClocks {
    static let stopped = ClockSettings.started + .seconds(100)
    static let resumed = ClockSettings.started + .seconds(200) + .milliseconds(900)

    init(
        _ images: [DeviceImage],
        settings: ClockSettings = .test(),
        stoppedAt: HostInstant = GuestClocks.stopped,
        savedAt: HostInstant? = nil,
        machineType: String? = nil
    ) throws(ClockError) {
        try self.init(
            images: images,
            machineType: machineType,
            origin: Origin(settings: settings, stoppedAt: stoppedAt, savedAt: savedAt ?? stoppedAt)
        )
    }
}
