import Time

/// A clock as its device's saved state has it.
protocol ClockDevice: Sendable {
    /// The saved state.
    var image: DeviceImage { get }

    var kind: ClockReading.Kind { get }

    /// The smallest step in which the guest can see the clock move, nanoseconds.
    var resolution: Int64 { get }

    /// Of what finer time has to be rounded down, since the device keeps no more: nanoseconds, `resolution` unless it keeps more
    /// than its registers show at a glance.
    var granularity: Int64 { get }

    /// What it reads, in nanoseconds of its epoch, finer than the guest can see it where the device keeps it finer.
    func time(at moment: Moment) -> Int128?

    /// What the guest sees of ``time(at:)``, with everything else that there is to say about the clock.
    func reading(at moment: Moment) -> ClockReading

    /// The clock, changed so that it reads what the move wants.
    func moved(by move: ClockMove) throws(ClockError) -> Self
}

extension ClockDevice {
    var epoch: ClockReading.Epoch {
        switch kind {
        case .rtc, .tod: .unix
        case .paravirtual, .virtual, .counter: .boot
        }
    }

    var granularity: Int64 { resolution }

    func reading(at moment: Moment) -> ClockReading { reading(of: time(at: moment)) }

    /// - Parameter problem: why the clock cannot be controlled.
    func reading(of time: Int128?, alarms: [Int128] = [], problem: String? = nil) -> ClockReading {
        let visible = time.map { $0.floorDivided(by: Int128(granularity)) * Int128(granularity) }
        let readsNs = visible.flatMap { Int64(exactly: $0) }
        let unreadable: String? =
            if time == nil {
                unknownClock
            } else if readsNs == nil {
                "its time is outside the years 1678 to 2262"
            } else {
                nil
            }
        return ClockReading(
            device: image.device,
            section: image.section,
            instance: image.instance,
            kind: kind,
            readsNs: readsNs,
            epoch: epoch,
            resolutionNs: resolution,
            controllable: problem == nil && time != nil,
            reason: problem ?? unreadable,
            alarms: alarms.compactMap { Int64(exactly: $0).map { ClockReading.Alarm(firesAtNs: $0) } }
        )
    }

    /// Both ends of the move on the clock that the device counts by.
    func deviceClock(_ move: ClockMove) throws(ClockError) -> (before: Int128, after: Int128) {
        guard let before = move.before.device, let after = move.after.device else { throw uncontrollable }
        return (before, after)
    }

    /// What the move wants the clock to read, nanoseconds since the epoch.
    ///
    /// - Parameter field: named in the error when the time is not within `range`.
    func wanted(_ move: ClockMove, in range: Range<Int128>, field: String) throws(ClockError) -> Int128 {
        guard let now = time(at: move.before) else { throw uncontrollable }
        let wanted = move.wanted(now)
        guard range.contains(wanted) else { throw image.outOfRange(field) }
        return wanted
    }

    var uncontrollable: ClockError {
        .cannotMove(device: image.device, section: image.section, reason: unknownClock)
    }

    var unknownClock: String { "it follows a clock of the QEMU process that its state does not tell" }
}

extension ClockDevice {
    var label: String {
        image.section.isEmpty || image.section == image.device
            ? "the clock \(image.device)" : "the clock \(image.device) (section \(image.section))"
    }
}
