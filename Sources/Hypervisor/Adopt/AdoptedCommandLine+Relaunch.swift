import GuestClock

extension AdoptedCommandLine {
    /// What belonged to one process only, or is said anew.
    private static let dropped: Set<String> = [
        "S", "incoming", "daemonize", "pidfile", "loadvm", "rtc", "localtime", "display", "sdl", "curses",
        "full-screen",
        "no-frame", "alt-grab", "ctrl-grab", "no-quit",
    ]
    private static let devices: Set<String> = ["qmp", "qmp-pretty", "monitor", "serial", "parallel", "debugcon", "gdb"]

    /// The same machine, to be loaded from a stream. Paths must be absolute already.
    ///
    /// Monitors and ports stay where their users look for them, ours comes in addition; nothing waits for anybody to connect.
    /// - Parameter disks: by id, what is in each disk's place now; others stay as they are.
    func relaunched(
        pinnedMachineType: String,
        disks running: [MachineRecord.RunningDisk],
        rtcBase: RTCBase,
        rtcClock: RTCClockSource,
        incoming: Bool
    ) -> [String] {
        var line = self
        for disk in disks {
            guard let now = running.first(where: { $0.id == disk.id }) else { continue }
            line.replace(disk, by: now.path, format: now.format)
        }
        line.options.removeAll { Self.dropped.contains($0.name) }
        line.pin(pinnedMachineType)
        for index in line.options.indices { line.options[index] = Self.withoutWaiting(line.options[index]) }
        var rtc = values("rtc").last.map { OptionValue($0) } ?? OptionValue("")
        rtc.pairs.removeAll { $0.key.isEmpty || $0.key == "base" || $0.key == "clock" }
        rtc.pairs.insert(("clock", rtcClock.rawValue), at: 0)
        rtc.pairs.insert(("base", rtcBase.argument), at: 0)
        var added: [Option] = [
            Option(name: "S"),
            Option(name: "rtc", value: rtc.text),
            Option(name: "chardev", value: LaunchPlan.monitorCharacterDevice),
            Option(name: "mon", value: "chardev=fermata-monitor,mode=control"),
        ]
        if !line.has("nographic") { added.append(Option(name: "display", value: "none")) }
        if incoming { added.append(Option(name: "incoming", value: "defer")) }
        line.options += added
        return line.arguments
    }

    private mutating func pin(_ type: String) {
        var pinned = false
        for index in options.indices where options[index].name == "machine" || options[index].name == "M" {
            guard let value = options[index].value else { continue }
            var machine = OptionValue(value)
            guard machine.head != nil || machine["type"] != nil else { continue }
            machine["type"] = nil
            machine.head = type
            options[index].value = machine.text
            pinned = true
        }
        if !pinned { options.append(Option(name: "machine", value: type)) }
    }

    /// A server socket that waits for its first client would keep the machine from starting.
    private static func withoutWaiting(_ option: Option) -> Option {
        guard let value = option.value, !value.hasPrefix("{") else { return option }
        var device = OptionValue(value)
        let isSocket =
            option.name == "chardev"
            ? device.head == "socket"
            : devices.contains(option.name)
                && ["unix:", "tcp:", "telnet:", "websocket:"].contains { device.head?.hasPrefix($0) == true }
        let isServer =
            device["server"] == "on" || device.pairs.dropFirst().contains { $0.key == "server" && $0.value == nil }
        guard isSocket, isServer else { return option }
        device.pairs.removeAll { $0.key == "nowait" || $0.key == "wait" || $0.key == "server" }
        device["server"] = "on"
        device["wait"] = "off"
        return Option(name: option.name, value: device.text)
    }
}
