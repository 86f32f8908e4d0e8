public import MigrationStream
public import Time

/// Every clock of one machine, as its saved state has them: in a checkpoint, or in the dump of a machine that runs.
public struct GuestClocks: Sendable {
    /// What the clocks read when the machine stopped.
    ///
    /// Of a state whose launch is not known: what can be told without, at the instant it was saved; its `atNs` is then the
    /// Unix epoch, which stands for not known.
    public let state: ClockState

    /// nil when only the state is at hand: then the clocks can be read, not set.
    let origin: Origin?
    let devices: [any ClockDevice]
    let processors: [Processor]
    /// State of timers that tick for ever.
    let periodicTimers: [DeviceImage]
    /// When the machine stopped.
    let moment: Moment

    /// What the state alone does not tell.
    struct Origin: Sendable {
        var settings: ClockSettings
        var stoppedAt: HostInstant
        var savedAt: HostInstant
    }

    /// A RISC-V processor, for the repair of its timers.
    struct Processor: Sendable {
        var processor: DeviceImage
        var common: DeviceImage
    }

    /// - Parameters:
    ///   - source: the stream that `stream` is the map of.
    ///   - settings: of the process that wrote it.
    ///   - stoppedAt: QEMU's own STOP stamp.
    ///   - savedAt: when QEMU wrote the devices' state, nil for at once. It matters only for a few clocks, and only with
    ///     `clock=host`, on which they run on until then.
    /// - Throws: ``ClockError`` when a clock is saved in a way that this program does not know, or the stream lacks what
    ///   every machine's has.
    public init(
        stream: CheckpointStream,
        source: some StreamSource,
        settings: ClockSettings,
        stoppedAt: HostInstant,
        savedAt: HostInstant? = nil
    ) throws(ClockError) {
        try self.init(
            images: DeviceImage.clocks(of: stream, source: source),
            machineType: stream.machineType,
            origin: Origin(settings: settings, stoppedAt: stoppedAt, savedAt: savedAt ?? stoppedAt)
        )
    }

    /// For any QEMU's checkpoint of which nothing else is known: its clocks can be read, as far as the state alone tells.
    public init(stream: CheckpointStream, source: some StreamSource) throws(ClockError) {
        try self.init(
            images: DeviceImage.clocks(of: stream, source: source),
            machineType: stream.machineType,
            origin: nil
        )
    }

    /// Why a machine's state should not be saved, nor dumped to read its clocks, if the same process is to go on: QEMU itself
    /// then sets the clock wrong. nil for all but a few boards.
    public static func disturbance(bySaving machineType: String) -> String? {
        KnownClocks.disturbedBySaving.first { machineType.hasPrefix($0.key) }.map { _, device in
            "saving the state of a \(machineType) adds the device clock's seconds to its \(device), each time, in the "
                + "process that goes on: only a machine that is loaded again reads the right time"
        }
    }

    init(images: [DeviceImage], machineType: String?, origin: Origin?) throws(ClockError) {
        self.origin = origin
        let machine = try ClockInventory(images: images, machineType: machineType, settings: origin?.settings)
        devices = machine.devices
        processors = machine.processors
        periodicTimers = machine.periodicTimers
        if let origin {
            moment = Moment(
                host: origin.stoppedAt,
                transferred: origin.savedAt,
                virtual: machine.virtual,
                settings: origin.settings
            )
        } else {
            moment = Moment(virtual: machine.virtual)
        }
        let stopped = moment
        state = ClockState(
            atNs: origin?.stoppedAt ?? HostInstant(nanosecondsSinceEpoch: 0),
            readings: devices.map { $0.reading(at: stopped) }
        )
    }
}
