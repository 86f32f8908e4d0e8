import ControlInstance
import Glibc
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "A machine that somebody else started is adopted, suspended and started again as it was",
        arguments: LabManifest.releases
    )
    func adopt(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let folder = lab.folder
            let disk = folder.file("user.qcow2")
            _ = try Shell.output("qemu-img create -q -f qcow2 '\(disk)' 16M")
            let monitor = folder.file("user.qmp")
            let console = folder.file("user.serial")
            let binary = try #require(release.binary("x86_64"))
            let process = try await QtestSpawner.shared.spawn(
                [
                    binary, "-machine", "pc,accel=tcg", "-m", "128M", "-nodefaults", "-display", "none",
                    "-kernel", "\(LabManifest.cache)/linux/vmlinuz",
                    "-initrd", "\(LabManifest.cache)/linux/initramfs.cpio.gz",
                    "-append", LabManifest.idleCommandLine,
                    "-rtc", "base=2024-02-29T12:00:00,clock=vm",
                    "-drive", "file=\(disk),format=qcow2,if=virtio,id=disk0",
                    "-chardev", "socket,id=con,path=\(console),server=on,wait=off", "-serial", "chardev:con",
                    "-qmp", "unix:\(monitor),server=on,wait=off",
                ],
                log: folder.file("user.log")
            )
            try await waitForSocket(monitor)
            let booting = try GuestConsole(of: "guest", socket: console)
            _ = try await booting.wait(for: "ready") { $0.event == "ready" }
            let status = try await lab.control.adopt(
                AdoptRequest(simulation: "mine", machine: "guest", monitor: "unix:\(monitor)")
            )
            #expect(status.adopted && status.state == .running && status.processID == process.pid, "\(status)")
            let before = try await booting.clocks("before")

            let suspended = try await lab.suspend("mine")
            try #require(suspended.outcome == .done, "\(suspended.reasons)")
            #expect(lab.processes().isEmpty)
            let frozen = try Shell.output("sha256sum '\(disk)'")
            try await Task.sleep(for: .seconds(1))

            let resumed = try await lab.resume("mine")
            try #require(resumed.outcome == .done, "\(resumed.reasons)")
            let again = try #require(try await lab.machines(of: "mine")["guest"])
            #expect(again.state == .running && again.processID != process.pid)
            let arguments = try commandLine(of: try #require(again.processID))
            for own in ["-nodefaults", LabManifest.idleCommandLine, "128M"] {
                #expect(arguments.contains(own), "\(own)")
            }

            let socket = again.serialSockets.first ?? console
            let after = try await GuestConsole(of: "guest", socket: socket).clocks("after")
            ClockJump(
                before: before,
                after: after,
                stoppedAt: try #require(suspended.machines.first?.stoppedAt),
                resumedAt: try #require(resumed.machines.first?.resumedAt)
            ).expect("adopted", rtc: .zero)
            #expect(
                try Shell.output("sha256sum '\(disk)'") == frozen,
                "the user's image was written by the resumed machine"
            )
        }
    }

    func waitForSocket(_ path: String) async throws {
        for _ in 0..<1000 where access(path, F_OK) != 0 { try await Task.sleep(for: .milliseconds(20)) }
    }

    private func commandLine(of process: pid_t) throws -> [String] {
        try TemporaryFolder.contents(of: "/proc/\(process)/cmdline").split(separator: 0).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
