import MigrationStream

/// Finds the clocks among a machine's devices.
struct ClockInventory {
    private(set) var devices: [any ClockDevice] = []
    private(set) var processors: [GuestClocks.Processor] = []
    private(set) var periodicTimers: [DeviceImage] = []
    /// What the virtual clock reads.
    private(set) var virtual: Int128?

    init(images: [DeviceImage], machineType: String?, settings: ClockSettings?) throws(ClockError) {
        let hasX86 = images.contains { $0.device == Self.processor && $0.has(X86Counter.field) }
        guard let timer = images.first(where: { $0.device == KnownClocks.virtualClock.device }) else {
            throw .missingSection(KnownClocks.virtualClock.device)
        }
        let virtualClock = try Self.virtualClock(timer, hasX86: hasX86, settings: settings)
        virtual = virtualClock.time
        devices.append(virtualClock)
        for image in images {
            devices += try Self.clocks(of: image, settings: settings)
        }
        if let machineType, let (name, distance) = KnownClocks.stateless[machineType] {
            devices.append(BaseOnlyClock(.stateless(name), distance: distance))
        }
        if let machineType, let name = KnownClocks.unsaved[machineType], !images.contains(where: { $0.device == name })
        {
            let reason = "this QEMU does not save it: it begins anew with each process"
            devices.append(UncontrolledClock(image: .stateless(name), reason: reason))
        }
        processors = Self.processors(images)
        periodicTimers = images.filter { PeriodicTimer.concerns($0.device) }
    }

    static let processor = "cpu"
    static let commonProcessor = "cpu_common"

    private static func virtualClock(
        _ image: DeviceImage,
        hasX86: Bool,
        settings: ClockSettings?
    ) throws(ClockError) -> VirtualClock {
        try image.require(KnownClocks.virtualClock.versions)
        var tsc: VirtualClock.TSC?
        if hasX86, settings?.accelerator == .tcg {
            tsc = settings?.hostTSCHz.flatMap { $0 > 0 ? .hertz(Int128($0)) : nil } ?? .unknown
        }
        return try VirtualClock(image, icountShift: settings?.icountShift, tsc: tsc)
    }

    private static func clocks(
        of image: DeviceImage,
        settings: ClockSettings?
    ) throws(ClockError) -> [any ClockDevice] {
        if let entry = KnownClocks.entries[image.device] {
            try image.require(entry.versions)
            return try entry.make(image)
        }
        if let reason = KnownClocks.uncontrolled[image.device] {
            return [UncontrolledClock(image: image, reason: reason)]
        }
        if KnownClocks.looksLikeClock(image.device) {
            return [UncontrolledClock(image: image, reason: "this program does not know this clock")]
        }
        guard image.device == processor, settings?.accelerator == .kvm else { return [] }
        if image.has(X86Counter.field) { return [try X86Counter(image, hostHertz: settings?.hostTSCHz)] }
        if image.has(ARMCounter.indexes), let counter = try ARMCounter(image, hostHertz: settings?.hostTSCHz) {
            return [counter]
        }
        return []
    }

    private static func processors(_ images: [DeviceImage]) -> [GuestClocks.Processor] {
        images.filter { $0.device == processor && $0.has(RISCVTimerRepair.pending) }.compactMap { processor in
            images.first { $0.device == commonProcessor && $0.instance == processor.instance }
                .map { GuestClocks.Processor(processor: processor, common: $0) }
        }
    }
}

extension DeviceImage {
    /// The state of every device that ``ClockInventory`` looks at.
    static func clocks(of stream: CheckpointStream, source: some StreamSource) throws(ClockError) -> [DeviceImage] {
        var images: [DeviceImage] = []
        for section in stream.sections where ClockInventory.concerns(section.vmsdName) {
            images.append(try DeviceImage(section, source: source))
        }
        return images
    }

    static func stateless(_ device: String) -> DeviceImage {
        DeviceImage(device: device, section: "", instance: 0, version: 0, payloadOffset: 0, fields: [], payload: [])
    }

    func require(_ versions: Set<UInt32>) throws(ClockError) {
        guard versions.contains(version) else {
            throw .unknownVersion(device: device, section: section, version: version)
        }
    }
}

extension ClockInventory {
    static func concerns(_ device: String) -> Bool {
        device == processor || device == commonProcessor || device == KnownClocks.virtualClock.device
            || KnownClocks.entries[device] != nil || KnownClocks.uncontrolled[device] != nil
            || KnownClocks.looksLikeClock(device) || PeriodicTimer.concerns(device)
    }
}
