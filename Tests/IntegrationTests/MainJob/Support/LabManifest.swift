import FoundationEssentials
import Glibc
import HypervisorAPI
import Manifest

/// The labs of `qemu-fixtures/labs`, for one release of QEMU.
enum LabManifest {
    static let cache = getenv("FERMATA_CACHE").map { String(cString: $0) } ?? "\(QEMUUnderTest.repository)/.cache"

    /// Releases on which the Linux guest can run here.
    static let releases = QEMUUnderTest.all.filter { problem($0) == nil }

    /// Says which releases are left out, and why; for `.enabled(if:)` of suites.
    static let usable: Bool = {
        for release in QEMUUnderTest.all {
            if let problem = problem(release) { print("main job on QEMU \(release): skipped: \(problem)") }
        }
        return !releases.isEmpty
    }()

    private static func problem(_ release: QEMUUnderTest) -> String? {
        guard release.binary("x86_64") != nil else { return "\(release.folder) has no qemu-system-x86_64" }
        for file in ["vmlinuz", "initramfs.cpio.gz", "disk.qcow2"]
        where access("\(cache)/linux/\(file)", R_OK) != 0 {
            return "\(cache)/linux/\(file) is not there; tools/setup.sh makes it"
        }
        return nil
    }

    static func load(_ name: String, _ release: QEMUUnderTest) throws -> SimulationSpec {
        var environment = ProcessInfo.processInfo.environment
        environment["FERMATA_CACHE"] = cache
        var spec = try Manifest.load(
            path: "\(QEMUUnderTest.repository)/qemu-fixtures/labs/\(name).yaml",
            environment: environment
        )
        for index in spec.machines.indices {
            let name = spec.machines[index].qemu.split(separator: "/").last ?? ""
            spec.machines[index].qemu = try binary(release, String(name.dropFirst("qemu-system-".count)))
        }
        return spec
    }

    /// `qemu-fixtures/labs/mixed.yaml`, and boards with clocks that it has not.
    static func mixed(_ release: QEMUUnderTest, _ boards: [BoardMachine], _ folder: TemporaryFolder) throws
        -> SimulationSpec
    {
        var spec = try load("mixed", release)
        for index in spec.machines.indices where spec.machines[index].append != nil {
            // So many machines are an overloaded host, on which Linux mis-measures its TSC at boot (docs/limits.md).
            spec.machines[index].append? += " clocksource=acpi_pm"
        }
        spec.machines += try boards.map { try $0.spec(release, folder) }
        return spec
    }

    /// What the mixed lab needs besides the Linux guest; nil when it is all there.
    static func mixedProblem(_ release: QEMUUnderTest) -> String? {
        for architecture in ["aarch64", "riscv64", "arm", "sparc"] where release.binary(architecture) == nil {
            return "\(release.folder) has no qemu-system-\(architecture)"
        }
        for board in ["arm", "riscv"] where access("\(cache)/ticker/ticker-\(board).elf", R_OK) != 0 {
            return "\(cache)/ticker/ticker-\(board).elf is not there; tools/setup.sh makes it"
        }
        return nil
    }

    /// One Linux guest without a network.
    static func idle(_ release: QEMUUnderTest) throws -> SimulationSpec {
        var spec = try load("pair", release)
        spec.name = "idle"
        spec.links = []
        spec.machines.removeLast()
        spec.machines[0].name = "guest"
        spec.machines[0].append = idleCommandLine
        return spec
    }

    /// A PC that only runs its firmware: for what needs no guest to tell of it.
    static func bare(_ release: QEMUUnderTest, name: String = "bare") throws -> SimulationSpec {
        var machine = MachineSpec(name: "pc", qemu: try binary(release, "x86_64"), machineType: "pc")
        machine.memoryBytes = 16 << 20
        return SimulationSpec(name: name, machines: [machine])
    }

    static let idleCommandLine =
        "console=ttyS0 quiet loglevel=1 nowatchdog panic=-1 nokaslr mitigations=off cryptomgr.notests "
        + "tsc=reliable ipv6.disable=1 fermata.role=idle"

    private static func binary(_ release: QEMUUnderTest, _ architecture: String) throws -> String {
        guard let path = release.binary(architecture) else {
            throw TestSupportError("QEMU \(release) has no qemu-system-\(architecture)")
        }
        return path
    }
}
