import GuestClock
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// A machine that this host cannot run is refused by the name of what is missing.
struct HostFitnessTests {
    private func machine(_ change: (inout MachineSpec) -> Void = { _ in }, saved: [Int] = [7, 2, 0])
        -> MachineCheckpoint
    {
        var spec = MachineSpec(name: "m", qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc")
        change(&spec)
        let digest = String(repeating: "0", count: 64)
        return MachineCheckpoint(
            name: "m",
            host: "h",
            launch: LaunchRecord(
                spec: spec,
                qemuVersion: saved,
                pinnedMachineType: "pc-i440fx-7.2",
                clock: ClockSettings(
                    clock: .vm,
                    base: .utc,
                    accelerator: .tcg,
                    processStart: HostInstant(nanosecondsSinceEpoch: 0),
                    qemu: QEMURelease(major: 7, minor: 2)
                )
            ),
            ramWay: .stream,
            state: CheckpointFile(role: .state, path: "machines/m/state.qemu", bytes: 1, sha256: digest),
            deviceStateOffset: 0,
            deviceStateSHA256: digest,
            disks: [],
            stoppedAt: HostInstant(nanosecondsSinceEpoch: 0),
            clock: ClockState(atNs: HostInstant(nanosecondsSinceEpoch: 0), readings: [])
        )
    }

    private func facts(_ version: [Int] = [7, 2, 9], target: String = "x86_64", path: String = "/no/qemu") -> QEMUFacts
    {
        QEMUFacts(path: path, version: version, target: target, machines: [], sandbox: false)
    }

    @Test(arguments: [
        ([7, 2, 9], [7, 2, 0], true), ([7, 2, 0], [7, 2, 9], true), ([10, 0, 2], [7, 2, 0], true),
        ([7, 2, 9], [10, 0, 0], false), ([9, 0, 0], [9, 1, 0], false), ([7], [7, 2], false), ([], [7, 2], false),
    ])
    func `a QEMU older than the one that saved is refused`(_ here: [Int], _ saved: [Int], _ fits: Bool) async {
        let obstacles = await HostFitness(facts: facts(here)).obstacles(to: machine(saved: saved))
        #expect(obstacles.isEmpty == fits, "\(obstacles)")
        #expect(obstacles.allSatisfy { $0.code == "checkpoint-incompatible" && $0.machine == "m" })
        if !fits { #expect(obstacles.first?.message.contains("install QEMU") == true) }
    }

    @Test func `KVM that is not here is refused`() async {
        let kvm = machine { $0.accelerator = .kvm }
        let with = HostFitness(facts: facts(), canUseKVM: true, architecture: "x86_64")
        #expect(await with.obstacles(to: kvm).isEmpty)
        let without = HostFitness(facts: facts(), canUseKVM: false, architecture: "x86_64")
        #expect(await without.obstacles(to: kvm).map(\.message).joined().contains("/dev/kvm"))
        #expect(await without.obstacles(to: machine()).isEmpty, "a machine without KVM needs none")
        let other = HostFitness(facts: facts(), canUseKVM: true, architecture: "aarch64")
        #expect(await other.obstacles(to: kvm).map(\.message).joined().contains("aarch64"))
        let thirtyTwo = HostFitness(facts: facts(target: "i386"), canUseKVM: true, architecture: "x86_64")
        #expect(await thirtyTwo.obstacles(to: kvm).isEmpty)
    }

    @Test(arguments: QEMUUnderTest.all)
    func `a processor that the QEMU does not have is refused`(_ qemu: QEMUUnderTest) async throws {
        for (target, good) in [
            ("x86_64", ["qemu64", "Nehalem", "max", "qemu64,+ssse3"]), ("aarch64", ["cortex-a53", "max"]),
        ] {
            let facts = facts([10, 0, 0], target: target, path: qemu.binary(target))
            for model in good {
                let obstacles = await HostFitness(facts: facts).obstacles(to: machine { $0.cpuModel = model })
                #expect(obstacles.isEmpty, "\(obstacles)")
            }
            let obstacles = await HostFitness(facts: facts).obstacles(to: machine { $0.cpuModel = "z80,turbo=on" })
            #expect(obstacles.map(\.message).joined().contains("'z80'"), "\(obstacles)")
        }
    }
}
