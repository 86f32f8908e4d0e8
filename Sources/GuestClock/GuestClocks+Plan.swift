import MigrationStream
public import Time

extension GuestClocks {
    /// What to change so that the clocks follow the policy.
    ///
    /// - Parameters:
    ///   - resumeAt: when the machine goes on.
    ///   - loadAt: when the new process will load the devices' state, nil for just before `resumeAt`. It matters only for a
    ///     few clocks, and only with `clock=host`, on which they begin to run when they are loaded.
    ///   - launched: the settings that the new process was started with; nil for those of
    ///     ``launchSettings(policy:scope:resumeAt:processStart:qemu:)`` with a start at `loadAt`.
    /// - Throws: ``ClockError``.
    public func plan(
        policy: ClockPolicy,
        scope: ClockScope,
        resumeAt: HostInstant,
        loadAt: HostInstant? = nil,
        launched: ClockSettings? = nil
    ) throws(ClockError) -> ClockPlan {
        let loadAt = loadAt ?? resumeAt
        let settings =
            if let launched { launched } else {
                try launchSettings(policy: policy, scope: scope, resumeAt: resumeAt, processStart: loadAt)
            }
        let move = try move(policy: policy, scope: scope, resumeAt: resumeAt, loadAt: loadAt, settings: settings)
        var patches: [Patch] = []
        var clocks: [any ClockDevice] = []
        var notes: [String] = []
        for device in devices {
            let before = device.reading(at: move.before)
            guard before.controllable || device.kind != .rtc else {
                clocks.append(device)
                notes.append("\(device.label) is left as it is: \(before.reason ?? "it cannot be controlled")")
                continue
            }
            let moved = try device.moved(by: move)
            patches += moved.image.patches
            clocks.append(moved)
            notes += device.notes(on: move, origin: try knownOrigin().settings)
        }
        for image in periodicTimers {
            patches += try PeriodicTimer.moved(image, by: move.shift)?.patches ?? []
        }
        patches += try repairs(settings: settings)
        return ClockPlan(
            patches: patches.sorted { $0.offset < $1.offset },
            rtcArgument: settings.rtcArgument,
            rtcBase: followsBase ? settings.base.argument : nil,
            settings: settings,
            expected: ClockState(atNs: resumeAt, readings: clocks.map { $0.reading(at: move.after) }),
            notes: notes,
            devices: clocks,
            after: move.after
        )
    }

    /// What to change so that the same checkpoint reads a different time: as if the machine had gone on at the very instant at
    /// which it stopped, and had been stopped again.
    ///
    /// - Returns: a plan whose `settings` take the place of the checkpoint's own.
    public func edit(policy: ClockPolicy, scope: ClockScope) throws(ClockError) -> ClockPlan {
        let origin = try knownOrigin()
        let settings = try launchSettings(
            policy: policy,
            scope: scope,
            resumeAt: origin.stoppedAt,
            processStart: origin.settings.processStart
        )
        return try plan(
            policy: policy,
            scope: scope,
            resumeAt: origin.stoppedAt,
            loadAt: origin.savedAt,
            launched: settings
        )
    }

    private func repairs(settings: ClockSettings) throws(ClockError) -> [Patch] {
        guard settings.accelerator == .tcg,
            min(settings.qemu, try knownOrigin().settings.qemu) < RISCVTimerRepair.mended
        else { return [] }
        var patches: [Patch] = []
        for pair in processors {
            let repaired = try RISCVTimerRepair.repaired(processor: pair.processor, common: pair.common)
            guard let repaired else { continue }
            patches += repaired.processor.patches + repaired.common.patches
        }
        return patches
    }
}
