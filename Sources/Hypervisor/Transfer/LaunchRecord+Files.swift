import HypervisorAPI

extension LaunchRecord {
    /// Raw options whose value is a file that QEMU reads when it starts.
    private static let options: Set<String> = [
        "-kernel", "-initrd", "-dtb", "-bios", "--kernel", "--initrd", "--dtb", "--bios",
    ]

    /// Absolute paths of the files that QEMU reads when it starts, disks not among them; each once.
    var launchPaths: [String] {
        var paths: [String] = []
        let named = [spec.firmware, spec.kernel, spec.initrd].compactMap { $0 }
        for path in named + Self.values(in: spec.arguments) + Self.values(in: adoptedArguments ?? [])
        where path.hasPrefix("/") && !paths.contains(path) {
            paths.append(path)
        }
        return paths
    }

    mutating func replace(_ path: String, by other: String) {
        for key in [\MachineSpec.firmware, \MachineSpec.kernel, \MachineSpec.initrd] where spec[keyPath: key] == path {
            spec[keyPath: key] = other
        }
        spec.arguments = Self.replaced(path, by: other, in: spec.arguments)
        adoptedArguments = adoptedArguments.map { Self.replaced(path, by: other, in: $0) }
    }

    /// Absolute paths in raw arguments that are no launch files, wherever in an option they stand.
    var otherPaths: [String] {
        let known = Set(launchPaths + [spec.qemu])
        let texts = spec.arguments + (adoptedArguments ?? []).dropFirst()
        return texts.flatMap { $0.split(whereSeparator: { ",=:".contains($0) }) }.map { String($0) }
            .filter { $0.hasPrefix("/") && !known.contains($0) }
    }

    private static func values(in arguments: [String]) -> [String] {
        zip(arguments, arguments.dropFirst()).filter { options.contains($0.0) }.map(\.1)
    }

    private static func replaced(_ path: String, by other: String, in arguments: [String]) -> [String] {
        var replaced = arguments
        for index in arguments.indices.dropFirst()
        where options.contains(arguments[index - 1]) && arguments[index] == path {
            replaced[index] = other
        }
        return replaced
    }
}
