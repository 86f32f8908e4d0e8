import Glibc
import HypervisorAPI
import Time

/// What a host and a QEMU have to have for a machine that was saved elsewhere, or before they were changed.
struct HostFitness: Sendable {
    let facts: QEMUFacts
    var canUseKVM = access("/dev/kvm", R_OK | W_OK) == 0
    var architecture = HostArchitecture.name

    /// - Returns: every reason why the machine cannot go on here, each with what to do.
    func obstacles(to machine: MachineCheckpoint) async -> [Reason] {
        let spec = machine.launch.spec
        var problems: [String] = []
        let saved = Array(machine.launch.qemuVersion.prefix(2))
        if facts.version.prefix(2).lexicographicallyPrecedes(saved) {
            let wanted = saved.map { String($0) }.joined(separator: ".")
            problems.append("it was saved by QEMU \(wanted), and \(qemu) is older: install QEMU \(wanted) or later")
        }
        if spec.accelerator == .kvm { problems += kvmProblems }
        if let model = spec.cpuModel, let known = await processors(), !known.contains(Self.base(of: model)) {
            problems.append("it has a processor '\(Self.base(of: model))', which \(qemu) does not have")
        }
        return problems.map { Reason(code: "checkpoint-incompatible", machine: machine.name, message: $0) }
    }

    private var kvmProblems: [String] {
        var problems: [String] = []
        if !canUseKVM {
            problems.append(
                "it was saved with KVM, and /dev/kvm cannot be used here: give this user the right, or use a host with it"
            )
        }
        let family = { (target: String) in target == "i386" ? "x86_64" : target }
        if family(facts.target) != architecture {
            problems.append(
                "it was saved with KVM, which runs \(facts.target) only on such a host; this one is \(architecture)"
            )
        }
        return problems
    }

    /// Every word that QEMU uses in its list of processors; nil when it does not tell.
    private func processors() async -> Set<String>? {
        let output = try? await ShortCommand(arguments: [facts.path, "-cpu", "help"]).runSuccessfully()
        guard let output else { return nil }
        let words = String(decoding: output.standardOutput, as: UTF8.self).split {
            $0.isWhitespace || "()'".contains($0)
        }
        return words.isEmpty ? nil : Set(words.map { String($0) })
    }

    /// `qemu64,+ssse3` is a `qemu64`.
    private static func base(of model: String) -> String { String(model.prefix { $0 != "," }) }

    private var qemu: String { "\(facts.path) (\(facts.version.map(String.init).joined(separator: ".")))" }
}
