import GuestClock
import HypervisorAPI
import Time

/// Puts a machine's command line together. Pure: the same plan gives the same line.
///
/// Machines get no default devices (`-nodefaults`): QEMU's own set changes with versions and holds a user network whose state
/// no other process can load. What a machine has is what its spec names; the rest can be added by `arguments`.
enum CommandLine {
    static func build(_ plan: LaunchPlan) -> [String] {
        let spec = plan.spec
        if let adopted = plan.adoptedArguments, let line = AdoptedCommandLine(arguments: adopted) {
            return line.relaunched(
                pinnedMachineType: plan.pinnedMachineType,
                disks: plan.disks,
                rtcBase: plan.rtcBase,
                rtcClock: spec.rtc.clock,
                incoming: plan.incoming
            )
        }
        var line = [spec.qemu, "-name", escaped("\(plan.simulation)/\(spec.name)")]
        line += ["-nodefaults", "-no-user-config", "-display", "none", "-msg", "timestamp=on", "-S"]
        if let memory = plan.memory {
            line += MemoryArguments.object(
                memory,
                release: plan.facts.release,
                preallocates: MemoryArguments.preallocates(spec)
            )
        }
        line += ["-machine", machine(plan)]
        if !has(spec, "accel") { line += ["-accel", spec.accelerator.rawValue] }
        if let bytes = spec.memoryBytes { line += ["-m", size(bytes)] }
        // Boards with a fixed number of processors refuse to be told one; theirs is then what 1 stands for.
        if spec.cpus != 1 { line += ["-smp", "\(spec.cpus)"] }
        for (option, value) in [
            ("-cpu", spec.cpuModel), ("-bios", spec.firmware), ("-kernel", spec.kernel), ("-initrd", spec.initrd),
            ("-append", spec.append),
        ] {
            if let value { line += [option, value] }
        }
        line += ["-rtc", "base=\(plan.rtcBase.argument),clock=\(spec.rtc.clock.rawValue)"]
        line += [
            "-chardev", LaunchPlan.monitorCharacterDevice,
            "-mon", "chardev=fermata-monitor,mode=control",
        ]
        line += DiskArguments(plan: plan).arguments
        line += LinkArguments(plan: plan).arguments
        line += serials(plan)
        if plan.facts.sandbox, !has(spec, "sandbox") { line += ["-sandbox", sandbox(spec)] }
        line += actions(spec)
        if plan.incoming { line += ["-incoming", "defer"] }
        return line + spec.arguments
    }

    /// What QEMU is not to do by itself; raw arguments that say what it is to do have their way.
    private static func actions(_ spec: MachineSpec) -> [String] {
        let actions = [GuestEvent.panic, .watchdog].filter { spec.stays?.contains($0) == true }
        guard !actions.isEmpty, !has(spec, "action"), !has(spec, "watchdog-action") else { return [] }
        return ["-action", actions.map { "\($0.rawValue)=none" }.joined(separator: ",")]
    }

    /// The ports in order; links of kind `serial` that the spec gives no port come after them.
    static func serialPorts(_ plan: LaunchPlan) -> [SerialSpec] {
        var ports = plan.spec.serials
        for attachment in plan.attachments where attachment.link.kind == .serial {
            let wired = ports.count { $0 == .link(attachment.link.name) }
            let wanted = plan.attachments.count { $0.link.name == attachment.link.name && $0.end <= attachment.end }
            if wired < wanted { ports.append(.link(attachment.link.name)) }
        }
        return ports
    }

    /// Where people talk to the ports that have a log.
    static func serialSockets(_ plan: LaunchPlan) -> [String] {
        if let adopted = plan.adoptedArguments { return AdoptedCommandLine(arguments: adopted)?.serialSockets ?? [] }
        return serialPorts(plan).enumerated().compactMap { $1 == .log ? plan.serialSocketPath($0) : nil }
    }

    /// How long the logs of the ports that have one are now.
    static func serialBegins(_ plan: LaunchPlan) -> [Int: UInt64]? {
        guard plan.adoptedArguments == nil else { return nil }
        let ports = serialPorts(plan).enumerated().filter { $0.element == .log }.map(\.offset)
        return Dictionary(
            uniqueKeysWithValues: ports.map { ($0, UInt64(clamping: ProcFile.size(of: plan.serialLogPath($0)) ?? 0)) }
        )
    }

    /// QEMU splits options at commas; a doubled one stands for itself.
    static func escaped(_ value: String) -> String {
        value.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }

    private static func machine(_ plan: LaunchPlan) -> String {
        let options = plan.spec.machineOptions.sorted { $0.key < $1.key }.map { ",\($0.key)=\(escaped($0.value))" }
        let memory = plan.memory.map { ",memory-backend=\($0.id)" } ?? ""
        return plan.pinnedMachineType + options.joined() + memory
    }

    private static func size(_ bytes: UInt64) -> String {
        bytes.isMultiple(of: 1 << 20) ? "\(bytes >> 20)M" : "\(bytes)B"
    }

    private static func serials(_ plan: LaunchPlan) -> [String] {
        var line: [String] = []
        var linksUsed: [String: Int] = [:]
        for (port, serial) in serialPorts(plan).enumerated() {
            let backend: String
            switch serial {
            case .log:
                backend =
                    "socket,id=serial\(port),path=\(escaped(plan.serialSocketPath(port))),server=on,wait=off,"
                    + "logfile=\(escaped(plan.serialLogPath(port))),logappend=on"
            case .none:
                // `-serial none` does not count as a port before QEMU 9: later ports would move up.
                backend = "null,id=serial\(port)"
            case .link(let name):
                let ends = plan.attachments.filter { $0.link.name == name && $0.link.kind == .serial }
                let used = linksUsed[name, default: 0]
                linksUsed[name] = used + 1
                backend =
                    used < ends.count
                    ? "socket,id=serial\(port),fd=\(ends[used].descriptor)" : "null,id=serial\(port)"
            }
            line += ["-chardev", backend, "-serial", "chardev:serial\(port)"]
        }
        return line
    }

    /// Everything is denied that a machine without helpers does not need; helpers that raw arguments name may start.
    private static func sandbox(_ spec: MachineSpec) -> String {
        let helpers = spec.arguments.contains { argument in
            ["exec:", "tap", "bridge", "smb=", "guestfwd=", "cmd:"].contains { argument.contains($0) }
        }
        let others = "obsolete=deny,resourcecontrol=deny"
        return helpers ? "on,\(others)" : "on,\(others),elevateprivileges=deny,spawn=deny"
    }

    /// Whether the raw arguments give an option themselves; QEMU takes one dash or two.
    private static func has(_ spec: MachineSpec, _ option: String) -> Bool {
        spec.arguments.contains { $0 == "-\(option)" || $0 == "--\(option)" }
    }
}
