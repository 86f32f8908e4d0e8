import GuestClock
import HypervisorAPI

/// A machine's memory in a command line.
enum MemoryArguments {
    /// From here on QEMU opens a file that it only reads as such, and still lets the guest write its private view.
    private static let readsPrivateViews = QEMURelease(major: 8, minor: 2)

    /// - Parameter preallocates: whether the raw arguments ask for it, which QEMU heeds of its own memory only.
    static func object(_ memory: MachineRecord.Memory, release: QEMURelease, preallocates: Bool) -> [String] {
        var value =
            "memory-backend-file,id=\(memory.id),size=\(memory.bytes),mem-path=\(CommandLine.escaped(memory.path))"
            // The block has the same name as QEMU's own memory: each can load what the other saved.
            + ",share=\(memory.shared ? "on" : "off"),x-use-canonical-path-for-ramblock-id=off"
        if !memory.shared, release >= readsPrivateViews { value += ",readonly=on,rom=off" }
        if preallocates, memory.shared { value += ",prealloc=on" }
        return ["-object", value]
    }

    static func preallocates(_ spec: MachineSpec) -> Bool {
        spec.arguments.contains { $0 == "-mem-prealloc" || $0 == "--mem-prealloc" }
    }

    /// Whether the spec sees to the machine's memory by itself.
    static func hasOwn(_ spec: MachineSpec) -> Bool {
        spec.machineOptions.keys.contains {
            ["memory-backend", "memory-encryption", "confidential-guest-support"].contains($0)
        }
            || spec.arguments.contains { argument in
                ["-m", "--m", "-mem-path", "--mem-path", "-numa", "--numa"].contains(argument)
                    || argument.contains("memory-backend")
            }
    }

    /// Whether the guest can give pages back, and QEMU would punch holes for them into the very file of a private view.
    static func spoilsViews(_ spec: MachineSpec, release: QEMURelease) -> Bool {
        release < readsPrivateViews
            && spec.arguments.contains { $0.contains("virtio-balloon") || $0.contains("virtio-mem") }
    }
}
