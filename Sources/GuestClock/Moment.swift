import Time

/// The clocks that a machine's devices count by, at one instant. All in nanoseconds; nil what cannot be told.
struct Moment: Hashable, Sendable {
    /// The host's CLOCK_REALTIME.
    var host: Int128?
    /// QEMU's virtual clock.
    var virtual: Int128?
    /// The clock that `-rtc clock=` chose.
    var device: Int128?
    /// The same when the device's state was written, or will be loaded: some devices keep their time relative to that.
    var deviceAtTransfer: Int128?
    /// The time that QEMU derives from `-rtc base=`. It shows whole seconds of it only.
    var timedate: Int128?

    /// Nothing is known but what the stream tells.
    init(virtual: Int128?) {
        self.virtual = virtual
    }

    init(host: HostInstant, transferred: HostInstant, virtual: Int128?, settings: ClockSettings) {
        let now = Int128(host.nanosecondsSinceEpoch)
        self.host = now
        self.virtual = virtual
        switch settings.clock {
        case .host:
            device = now
            deviceAtTransfer = Int128(transferred.nanosecondsSinceEpoch)
            timedate = now + settings.hostTimedateShift * .second
        case .vm:
            device = virtual
            deviceAtTransfer = virtual
            timedate = virtual.map { $0 + settings.baseSeconds * .second }
        case .rt:
            // The host's monotonic clock: it says nothing in another process or after a reboot of the host.
            break
        }
    }
}

extension Moment {
    /// The same machine, still standing, when the host's clock has gone on.
    func later(by distance: Int128, settings: ClockSettings) -> Moment {
        var moment = self
        moment.host = host.map { $0 + distance }
        if settings.clock == .host {
            moment.device = device.map { $0 + distance }
            moment.timedate = timedate.map { $0 + distance }
        }
        return moment
    }
}

extension ClockSettings {
    /// What the time of clocks that follow `-rtc base=` began with, in seconds since the epoch.
    var baseSeconds: Int128 {
        let start = Int128(processStart.nanosecondsSinceEpoch).wholeSeconds
        switch base {
        case .utc: return start
        case .localtime: return start + zoneSeconds
        case .instant(let instant): return Int128(instant.nanosecondsSinceEpoch).wholeSeconds
        }
    }

    /// With `clock=host`: what QEMU adds to the host's seconds.
    var hostTimedateShift: Int128 {
        baseSeconds - Int128(processStart.nanosecondsSinceEpoch).wholeSeconds
    }

    /// Whole seconds by which the guest's clock is ahead of UTC because it keeps the host's local time.
    var zoneSeconds: Int128 {
        base == .localtime ? Int128(localUTCOffset.nanoseconds).wholeSeconds : 0
    }
}
