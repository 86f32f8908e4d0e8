public import Time

extension GuestClocks {
    /// How the process that will go on from this state has to be told its time: known before the instant is, since clocks that
    /// follow `-rtc base=` are moved by the launch.
    ///
    /// - Parameters:
    ///   - resumeAt: as near as it can be told.
    ///   - processStart: of the new process, as near as it can be told.
    ///   - qemu: of the new process; nil for the same.
    /// - Throws: ``ClockError`` when the policy wants a time that cannot be, or nothing is known of the launch.
    public func launchSettings(
        policy: ClockPolicy,
        scope: ClockScope,
        resumeAt: HostInstant,
        processStart: HostInstant,
        qemu: QEMURelease? = nil
    ) throws(ClockError) -> ClockSettings {
        let origin = try knownOrigin()
        var settings = origin.settings
        settings.processStart = processStart
        settings.qemu = qemu ?? origin.settings.qemu
        let baseOnly = devices.compactMap { $0 as? BaseOnlyClock }.first
        switch origin.settings.clock {
        case .rt:
            break
        case .host where baseOnly == nil:
            // With a base, the time would count from whichever second the process happens to start in.
            settings.base = origin.settings.base == .localtime ? .localtime : .utc
        case .vm where baseOnly == nil:
            settings.base = try Self.base(origin.settings.baseSeconds)
        case .host, .vm:
            guard let baseOnly, let now = baseOnly.time(at: moment) else { break }
            let move = try move(policy: policy, scope: scope, resumeAt: resumeAt, loadAt: resumeAt, settings: settings)
            let wanted = move.wanted(now).wholeSeconds - baseOnly.distance
            if origin.settings.clock == .vm {
                guard let virtual = move.after.virtual else { break }
                settings.base = try Self.base(wanted - virtual.wholeSeconds)
            } else {
                let untilResume =
                    Int128(resumeAt.nanosecondsSinceEpoch).wholeSeconds
                    - Int128(processStart.nanosecondsSinceEpoch).wholeSeconds
                settings.base = try Self.base(wanted - untilResume)
            }
        }
        return settings
    }

    /// Whether any clock's time depends on the new process' `-rtc base=`.
    var followsBase: Bool { devices.contains { $0 is TimedateClock || $0 is BaseOnlyClock } }

    func knownOrigin() throws(ClockError) -> Origin {
        guard let origin else {
            throw .cannotMove(
                device: KnownClocks.virtualClock.device,
                section: KnownClocks.virtualClock.device,
                reason: "nothing is known of how the machine was launched and when it stopped"
            )
        }
        return origin
    }

    private static func base(_ seconds: Int128) throws(ClockError) -> RTCBase {
        // QEMU's parser takes four digits of year; before the epoch its arithmetic is not to be trusted.
        guard seconds >= 0, let nanoseconds = Int64(exactly: seconds * .second) else {
            throw .outOfRange(device: "-rtc base", section: "", field: "base")
        }
        return .instant(HostInstant(nanosecondsSinceEpoch: nanoseconds))
    }
}
