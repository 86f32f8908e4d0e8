import Glibc
import JSON
import Testing

extension FaultTests {
    /// Something breaks while running machines are saved.
    @Suite struct CheckpointFaultTests {
        /// After the command was given, in milliseconds; the instant is some 200 ms after it on an idle host.
        static let moments = [50, 150, 200, 230, 260, 300, 400, 600]

        @Test(arguments: FaultLab.QEMU.present)
        func `a QEMU is killed: the other runs on, on the layers that it had`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                var ends: [Int32: Int] = [:]
                for moment in Self.moments {
                    try await lab.upWithDisks(ram: "stream")
                    let files = lab.runFiles("alpha")
                    let answer = try await lab.fermata("checkpoint", "\(FaultLab.name)@t\(moment)") { _ in
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killQEMU("beta")
                    }
                    ends[answer.status, default: 0] += 1
                    let what = "killed \(moment) ms into the checkpoint: \(answer)"
                    try await lab.expect(["alpha": "running"], what)
                    if answer.status == 0 {
                        try await lab.expectWhole("t\(moment)", what)
                    } else {
                        #expect([1, 3, 4].contains(answer.status), "\(what)")
                        #expect(lab.runFiles("alpha") == files, "\(what)")
                        #expect(!lab.checkpoints.contains("t\(moment)"), "\(what)")
                    }
                    try await lab.done("down", FaultLab.name)
                }
                print("ends of checkpoints with a killed QEMU \(qemu.rawValue), by exit code: \(ends)")
                #expect(ends.keys.contains { $0 != 0 })
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `the daemon is killed: all run on, and the checkpoint is whole or absent`(_ qemu: FaultLab.QEMU)
            async throws
        {
            try await FaultLab.with(qemu) { lab in
                try await lab.upWithDisks(ram: "stream")
                let files = lab.runFiles("alpha").count
                var ends: [String: Int] = [:]
                for moment in Self.moments {
                    let name = "t\(moment)"
                    let answer = try await lab.fermata("checkpoint", "\(FaultLab.name)@\(name)") { _ in
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killDaemon()
                    }
                    try await lab.done("ps")
                    let what = "daemon killed \(moment) ms into the checkpoint: \(answer)"
                    try await lab.expect(["alpha": "running", "beta": "running"], what)
                    let whole = lab.checkpoints.contains(name)
                    ends["\(answer.status), \(whole ? "whole" : "absent")", default: 0] += 1
                    if whole { try await lab.expectWhole(name, what) } else { #expect(answer.status != 0, "\(what)") }
                    #expect(lab.runFiles("alpha").count == files, "\(what)")
                }
                print("ends of checkpoints with a killed daemon, QEMU \(qemu.rawValue): \(ends)")
                #expect(ends.keys.contains { !$0.hasPrefix("0") }, "none was interrupted: \(ends)")
                try await lab.done("checkpoint", "\(FaultLab.name)@last")
                try await lab.done("suspend", "\(FaultLab.name)@after")
                try await lab.done("resume", "\(FaultLab.name)@last")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `a machine that writes an image of its own is refused by the image's name, and nobody stops`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.upWithDrive()
                let answer = try await lab.fermata("checkpoint", "\(FaultLab.name)@never")
                #expect(answer.status == 3, "\(answer)")
                #expect(answer.codes == ["disk-not-layered"] && answer.messages.contains("own.qcow2"), "\(answer)")
                try await lab.expect(["alpha": "running"], "\(answer)")
                #expect(lab.checkpoints == [])
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `called off while it is armed: nothing has happened`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.upWithDisks(ram: "stream")
                let files = lab.runFiles("alpha")
                let answer = try await lab.fermata("checkpoint", "\(FaultLab.name)@never", "--in", "300s") { client in
                    try await FaultLab.wait(for: "the operation to be armed") { lab.journalPhase == "armed" }
                    Glibc.kill(client, SIGINT)
                }
                #expect(answer.status == 130, "\(answer)")
                try await lab.expect(["alpha": "running", "beta": "running"], "\(answer)")
                #expect(lab.checkpoints == [] && lab.runFiles("alpha") == files, "\(answer)")
                // Nothing is left in QEMU either: the same names can be had again.
                try await lab.done("checkpoint", "\(FaultLab.name)@now")
                try await lab.expectWhole("now", "after one that was called off")
            }
        }
    }
}

extension FaultLab {
    /// `alpha` alone, with a drive that only QEMU knows.
    func upWithDrive() async throws {
        let image = "\(home.folder)/own.qcow2"
        _ = try CheckpointFiles.shell("/usr/bin/qemu-img create -q -f qcow2 '\(image)' 1M")
        let manifest = try home.file(
            "drive.yaml",
            """
            simulation: \(Self.name)
            machines:
              alpha:
                qemu: \(bed.qemu.path)
                machine: pc
                memory: 32M
                args: [-drive, "file=\(image),format=qcow2,if=virtio", -qmp, "unix:\(probe("alpha")),server=on,wait=off"]
            \(resources)

            """
        )
        try await done("up", manifest)
    }

    /// Names of the files in a machine's run folder.
    func runFiles(_ machine: String) -> [String] { Self.contents("\(home.path)/machines/\(Self.name)/\(machine)") }
}
