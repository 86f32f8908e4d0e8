/// The kind of processor that a stream's machine has, told by the fields that only that one saves.
///
/// The sections of all processors are named `cpu`, and boards of several architectures share names such as `virt`. Measured on
/// QEMU 7.2 and 10.0.
public struct StreamProcessor: Hashable, Sendable, CustomStringConvertible {
    private struct Mark {
        var name: String
        /// Of a field that no other kind has.
        var field: String
        /// An array of registers, whose width in bytes tells targets apart.
        var registers: String
        var targets: [UInt64: Set<String>]
    }

    private static let marks = [
        Mark(name: "x86", field: "env.eip", registers: "env.regs", targets: [8: ["x86_64"], 4: ["i386"]]),
        // Both programs have the same processors with the same state.
        Mark(name: "ARM", field: "cpsr", registers: "env.regs", targets: [4: ["arm", "aarch64"]]),
        Mark(name: "RISC-V", field: "env.misa_mxl", registers: "env.gpr", targets: [8: ["riscv64"], 4: ["riscv32"]]),
        Mark(name: "s390", field: "env.psw.mask", registers: "env.regs", targets: [8: ["s390x"]]),
        Mark(name: "POWER", field: "env.nip", registers: "env.gpr", targets: [8: ["ppc64"], 4: ["ppc"]]),
        Mark(name: "LoongArch", field: "env.CSR_CRMD", registers: "env.gpr", targets: [8: ["loongarch64"]]),
    ]

    /// All targets that can be told.
    public static let allTargets = Set(marks.flatMap { $0.targets.values.joined() })

    /// `qemu-system-…` that have it.
    public let targets: Set<String>
    public let description: String

    /// nil when none of the known ones is recognised.
    init?(_ section: Section) {
        for mark in Self.marks where section.field(mark.field) != nil {
            guard let register = section.field("\(mark.registers)[0]"), let targets = mark.targets[register.size] else {
                continue
            }
            self.targets = targets
            description = "\(mark.name) processors (\(targets.sorted().joined(separator: ", ")))"
            return
        }
        return nil
    }
}

extension CheckpointStream {
    /// nil when the stream does not describe itself, or its processor is none of the known ones.
    public var processor: StreamProcessor? { sections(vmsd: "cpu").first.flatMap(StreamProcessor.init) }
}
