import Time

extension GuestClocks {
    /// - Parameter settings: of the new process.
    func move(
        policy: ClockPolicy,
        scope: ClockScope,
        resumeAt: HostInstant,
        loadAt: HostInstant,
        settings: ClockSettings
    ) throws(ClockError) -> ClockMove {
        let origin = try knownOrigin()
        var move = ClockMove(
            policy: policy,
            before: moment,
            after: Moment(host: resumeAt, transferred: loadAt, virtual: moment.virtual, settings: settings),
            shift: 0,
            zoneSeconds: origin.settings.zoneSeconds
        )
        guard scope == .all else { return move }
        move.shift = try shift(move)
        guard move.shift >= 0 else {
            throw .backward(nanoseconds: Int64(clamping: move.shift))
        }
        move.after = Moment(
            host: resumeAt,
            transferred: loadAt,
            virtual: moment.virtual.map { $0 + move.shift },
            settings: settings
        )
        return move
    }

    /// How far the clocksource has to go so that a guest that once set its time by its real-time clock reads what that does.
    private func shift(_ move: ClockMove) throws(ClockError) -> Int128 {
        switch move.policy {
        case .continue: return 0
        case .offset(let span): return Int128(span.nanoseconds)
        case .host, .at: break
        }
        for device in devices where device.kind == .rtc || device.kind == .tod {
            if let now = device.time(at: moment) { return move.wanted(now) - now }
        }
        // Without a clock that tells the date, `host` can still make up for the pause.
        if move.policy == .host, let before = move.before.host, let after = move.after.host { return after - before }
        throw .cannotMove(
            device: KnownClocks.virtualClock.device,
            section: KnownClocks.virtualClock.device,
            reason: "the machine has no clock that tells which date the guest goes by; use an offset"
        )
    }
}
