import GuestClock
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// The files that QEMU reads when it starts are found in a launch record, and renamed in it.
struct LaunchFilesTests {
    private func record(_ change: (inout LaunchRecord) -> Void) -> LaunchRecord {
        var record = LaunchRecord(
            spec: MachineSpec(name: "m", qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc"),
            qemuVersion: [7, 2, 0],
            pinnedMachineType: "pc-i440fx-7.2",
            clock: ClockSettings(
                clock: .vm,
                base: .utc,
                accelerator: .tcg,
                processStart: HostInstant(nanosecondsSinceEpoch: 0),
                qemu: QEMURelease(major: 7, minor: 2)
            )
        )
        change(&record)
        return record
    }

    @Test func `of a launched machine`() {
        var launch = record {
            $0.spec.kernel = "/k"
            $0.spec.initrd = "/i"
            $0.spec.firmware = "/f"
            $0.spec.arguments = ["-dtb", "/d", "-bios", "bios.bin", "-append", "/k", "-drive", "file=/x.img,if=pflash"]
        }
        #expect(launch.launchPaths == ["/f", "/k", "/i", "/d"])
        #expect(launch.otherPaths == ["/x.img"] || launch.otherPaths == ["/k", "/x.img"])
        launch.replace("/k", by: "/new")
        #expect(launch.spec.kernel == "/new" && launch.spec.initrd == "/i")
        #expect(launch.spec.arguments[5] == "/k", "what only looks like it stays")
        launch.replace("/d", by: "/dtb")
        #expect(launch.spec.arguments[1] == "/dtb")
    }

    @Test func `of an adopted machine`() {
        var launch = record {
            $0.adoptedArguments = ["/usr/bin/qemu-system-x86_64", "-kernel", "/k", "--initrd", "/i"]
        }
        #expect(launch.launchPaths == ["/k", "/i"])
        launch.replace("/i", by: "/other")
        #expect(launch.adoptedArguments == ["/usr/bin/qemu-system-x86_64", "-kernel", "/k", "--initrd", "/other"])
    }

    @Test func `a machine without any has none`() { #expect(record { _ in }.launchPaths.isEmpty) }
}
