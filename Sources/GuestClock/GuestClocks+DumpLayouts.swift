public import MigrationStream

extension GuestClocks {
    /// Where clocks lie in a dump of a running machine's devices (`xen-save-devices-state`), which does not describe itself.
    ///
    /// Taken from the descriptions in recorded streams of QEMU 7.2 and 10.0, against which a test holds them. A clock that is
    /// not here is not found in a dump; in a checkpoint it is.
    public static let dumpLayouts: [SectionLayout] = [
        layout("timer", 2, 24, [("cpu_ticks_offset", "int64", 0), ("cpu_clock_offset", "int64", 16)]),
        layout(
            "timer",
            2,
            103,
            [
                ("cpu_ticks_offset", "int64", 0), ("cpu_clock_offset", "int64", 16),
                ("timer/icount.qemu_icount_bias", "int64", 42), ("timer/icount.qemu_icount", "int64", 50),
            ],
            subsections: [("timer/icount", 1, 24)]
        ),
        layout(
            "mc146818rtc",
            3,
            245,
            [
                ("periodic_timer", "timer", 157), ("next_periodic_time", "int64", 165),
                ("irq_coalesced", "uint32", 197),
                ("period", "uint32", 201), ("base_rtc", "uint64", 205), ("last_update", "uint64", 213),
                ("offset", "int64", 221), ("update_timer", "timer", 229), ("next_alarm_time", "uint64", 237),
            ],
            buffers: [("cmos_data", 0, 128)]
        ),
        layout(
            "pl031",
            1,
            51,
            [
                ("tick_offset_vmstate", "uint32", 0), ("mr", "uint32", 4), ("lr", "uint32", 8), ("cr", "uint32", 12),
                ("im", "uint32", 16), ("is", "uint32", 20), ("pl031/tick-offset.tick_offset", "uint32", 47),
            ],
            subsections: [("pl031/tick-offset", 1, 24)]
        ),
        layout(
            "goldfish_rtc",
            3,
            40,
            [
                ("tick_offset_vmstate", "uint64", 0), ("alarm_next", "uint64", 8), ("alarm_running", "uint32", 16),
                ("irq_pending", "uint32", 20), ("irq_enabled", "uint32", 24), ("time_high", "uint32", 28),
                ("tick_offset", "uint64", 32),
            ]
        ),
        layout("spapr/rtc", 1, 8, [("ns_offset", "int64", 0)]),
        layout("aspeed.rtc", 2, 104, [("offset", "int64", 96)], arrays: [("reg", "uint32", 0, 24)]),
        layout(
            "aspeed.rtc",
            1,
            104,
            [("offset[0]", "int32", 96), ("offset[1]", "int32", 100)],
            arrays: [("reg", "uint32", 0, 24)]
        ),
        layout("ds1338", 2, 79, [("offset", "int64", 1), ("wday_offset", "uint8", 9)]),
        // Version 1 of it does not save the day of the week.
        layout("rs5c372", 1, 28, [("offset", "int64", 1)]),
        layout(
            "ls7a_rtc",
            1,
            44,
            [("offset_toy", "int64", 0), ("offset_rtc", "int64", 8), ("cntrctl", "uint32", 40)]
        ),
        layout("imx7.snvs", 1, 16, [("tick_offset", "uint64", 0), ("lpcr", "uint64", 8)]),
        layout("m48t59", 1, 3, [("lock", "uint8", 0)]),
        layout("todclock", 1, 10, []),
        // Only with KVM; sizes from QEMU's description of the device.
        layout(
            "kvmclock",
            1,
            41,
            [("clock", "uint64", 0), ("kvmclock/clock_is_reliable.clock_is_reliable", "bool", 40)],
            subsections: [("kvmclock/clock_is_reliable", 1, 8)]
        ),
    ]

    private static func layout(
        _ name: String,
        _ version: UInt32,
        _ size: UInt64,
        _ numbers: [(path: String, type: String, offset: UInt64)],
        buffers: [(path: String, offset: UInt64, size: UInt64)] = [],
        arrays: [(path: String, type: String, offset: UInt64, count: Int)] = [],
        subsections: [(name: String, version: UInt32, offset: UInt64)] = []
    ) -> SectionLayout {
        let fields =
            numbers.map { Field(path: $0.path, type: $0.type, offset: $0.offset, size: width($0.type)) }
            + buffers.map { Field(path: $0.path, type: "buffer", offset: $0.offset, size: $0.size) }
            + arrays.map {
                Field(
                    path: $0.path,
                    type: $0.type,
                    offset: $0.offset,
                    size: width($0.type) * UInt64($0.count),
                    count: $0.count
                )
            }
        return SectionLayout(
            vmsdName: name,
            version: version,
            payloadSize: size,
            fields: fields.sorted { $0.offset < $1.offset },
            subsections: subsections.map { .init(name: $0.name, version: $0.version, offset: $0.offset) }
        )
    }

    /// Bytes of a number, by QEMU's name of its type.
    private static func width(_ type: String) -> UInt64 {
        switch type {
        case "bool", "uint8": 1
        case "int32", "uint32": 4
        default: 8
        }
    }
}
