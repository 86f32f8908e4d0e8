/// The command line of a QEMU that somebody else started: read, judged, rewritten. Pure.
struct AdoptedCommandLine: Hashable, Sendable {
    struct Option: Hashable, Sendable {
        /// Without dashes; empty for an image that stands alone.
        var name: String
        var value: String?
    }

    /// What is to be executed, the binary last (a loader may come before it).
    let program: [String]
    var options: [Option]

    /// - Returns: nil when no QEMU is in it.
    init?(arguments: [String]) {
        func isBinary(_ argument: String) -> Bool {
            let name = argument.split(separator: "/").last ?? ""
            return name.hasPrefix("qemu-system-") || name == "qemu-kvm" || name == "qemu" || name == "kvm"
        }
        guard let index = arguments.firstIndex(where: isBinary) else { return nil }
        program = Array(arguments[...index])
        options = []
        var rest = arguments[(index + 1)...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument.count > 1 else {
                options.append(Option(name: "", value: argument))
                continue
            }
            let name = String(argument.dropFirst(argument.hasPrefix("--") ? 2 : 1))
            let takesValue = !Self.flags.contains(name)
            options.append(Option(name: name, value: takesValue ? rest.popFirst() : nil))
        }
    }

    var arguments: [String] {
        program
            + options.flatMap { option in
                (option.name.isEmpty ? [] : ["-\(option.name)"]) + (option.value.map { [$0] } ?? [])
            }
    }

    func values(_ names: String...) -> [String] {
        options.filter { names.contains($0.name) }.compactMap(\.value)
    }

    func has(_ names: String...) -> Bool { options.contains { names.contains($0.name) } }

    /// Of ports that are UNIX servers.
    var serialSockets: [String] {
        values("serial").compactMap { value in
            let device = OptionValue(value)
            guard let head = device.head, head.hasPrefix("unix:"), device.pairs.contains(where: { $0.key == "server" })
            else { return nil }
            return String(head.dropFirst("unix:".count))
        }
    }

    /// The options without a value, of 7.2 and 10.0 and those that scripts for older releases still carry.
    private static let flags: Set<String> = [
        "S", "s", "h", "help", "version", "mem-prealloc", "audio-help", "snapshot", "usb", "nographic", "portrait",
        "full-screen", "win2k-hack", "no-fd-bootchk", "no-acpi", "no-hpet", "singlestep", "preconfig", "enable-kvm",
        "xen-attach", "xen-domid-restrict", "no-reboot", "no-shutdown", "daemonize", "only-migratable", "nodefaults",
        "no-user-config", "enable-sync-profile", "async-teardown", "sdl", "curses", "no-frame", "no-quit", "alt-grab",
        "ctrl-grab", "localtime", "nodefconfig", "enable-fips", "no-kvm", "old-param", "semihosting", "g",
    ]
}
