import FoundationEssentials
import Testing

extension FaultLab {
    /// A QEMU and the way that RAM goes with it.
    struct Way: Sendable, CustomTestStringConvertible {
        var qemu: QEMU
        var ram: String

        var testDescription: String { "QEMU \(qemu.rawValue), \(ram)" }

        static var present: [Way] {
            QEMU.present.map { Way(qemu: $0, ram: "stream") }
                + QEMU.present.filter { $0 == .unpacked }.map { Way(qemu: $0, ram: "mapped") }
        }
    }

    /// As ``up()``, and `alpha` has a disk that it writes into a layer of its own, and one that it only reads.
    func upWithDisks(ram: String) async throws {
        _ = try CheckpointFiles.shell("/usr/bin/qemu-img create -q -f qcow2 '\(base)' 16M")
        try Data([UInt8](repeating: 7, count: 1 << 20)).write(to: URL(filePath: seed))
        _ = try home.file(
            "lab.yaml",
            """
            simulation: \(Self.name)
            machines:
              alpha:
                qemu: \(bed.qemu.path)
                machine: pc
                memory: 32M
                ram: \(ram)
                disks:
                  - {file: base.qcow2, format: qcow2}
                  - {id: seed, file: seed.raw, format: raw, readonly: true}
                args: [-qmp, "unix:\(probe("alpha")),server=on,wait=off"]
              beta:
                qemu: \(bed.qemu.path)
                machine: pc
                memory: 32M
                ram: \(ram)
                args: [-qmp, "unix:\(probe("beta")),server=on,wait=off"]
            links:
              - {name: lan, kind: dgram, between: [alpha, beta]}
            \(resources)

            """
        )
        try await done("up", "\(home.folder)/lab.yaml")
    }

    var base: String { "\(home.folder)/base.qcow2" }
    var seed: String { "\(home.folder)/seed.raw" }
}
