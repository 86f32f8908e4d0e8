import FoundationEssentials
import Glibc
import JSON
import Testing
import Time

extension FaultTests {
    /// What cannot be done is refused with every reason, and nothing has changed.
    @Suite struct RefusalTests {
        static let running = ["alpha": "running", "beta": "running"]

        @Test(arguments: FaultLab.QEMU.present)
        func `an instant that is past or too near`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                for (arguments, codes) in [
                    (["--at", "2020-01-01T00:00:00Z"], ["instant-past"]),
                    (["--in", "1ms"], ["instant-too-near", "instant-past"]),
                ] {
                    let suspend = try await lab.fermata("suspend", FaultLab.name, arguments[0], arguments[1])
                    #expect(suspend.status == 3, "\(suspend)")
                    #expect(suspend.codes.contains { codes.contains($0) }, "\(suspend)")
                    try await lab.expect(Self.running, "\(suspend)")
                    #expect(lab.checkpoints == [])
                }
                try await lab.done("suspend", "\(FaultLab.name)@one")
                for arguments in [["--at", "2020-01-01T00:00:00Z"], ["--in", "1ms"]] {
                    let resume = try await lab.fermata("resume", FaultLab.name, arguments[0], arguments[1])
                    #expect(resume.status == 3, "\(resume)")
                    try await lab.expect([:], "\(resume)")
                }
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `a machine that somebody stopped by hand is refused, and stays as it was`(_ qemu: FaultLab.QEMU)
            async throws
        {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try MonitorProbe(path: lab.probe("alpha")).ask("stop")
                let suspend = try await lab.fermata("suspend", FaultLab.name)
                #expect(suspend.status == 3, "\(suspend)")
                #expect(suspend.codes == ["machine-not-running"], "\(suspend)")
                #expect(suspend.names("alpha"))
                try await lab.expect(["alpha": "paused", "beta": "running"], "\(suspend)")
                try MonitorProbe(path: lab.probe("alpha")).ask("cont")
                try await lab.done("suspend", FaultLab.name)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `ctrl-C before the instant: exit 130, and nothing has happened`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let suspend = try await lab.fermata("suspend", FaultLab.name, "--in", "20s") { process in
                    try await FaultLab.wait(for: "the journal") { !lab.journal.isEmpty }
                    try await Task.sleep(for: .milliseconds(500))
                    kill(process, SIGINT)
                }
                #expect(suspend.status == 130, "\(suspend)")
                try await lab.expect(Self.running, "\(suspend)")
                #expect(lab.checkpoints == [])
                try await lab.done("suspend", FaultLab.name)
            }
        }

        /// The operation is the daemon's: whoever asked for it may go.
        @Test(arguments: FaultLab.QEMU.present)
        func `a command that is killed while it waits: the operation goes on and is done`(_ qemu: FaultLab.QEMU)
            async throws
        {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@one", "--in", "3s") { process in
                    try await FaultLab.wait(for: "the journal") { !lab.journal.isEmpty }
                    kill(process, SIGKILL)
                }
                #expect(suspend.status == -SIGKILL, "\(suspend)")
                try await FaultLab.wait(for: "the suspend") { try await lab.state() == "suspended" }
                try await lab.expect([:], "the command was killed")
                try await lab.expectWhole("one", "the command was killed")
            }
        }

        @Test func `names that lead elsewhere or are none`() async throws {
            try await FaultLab.with { lab in
                try await lab.up()
                let long = String(repeating: "x", count: 300)
                for name in ["..", "../x", "a/b", "/etc", "a\u{1}b", "a\nb", "\u{1B}[2J", "A", "-x", "", "é", long] {
                    for target in [name, "\(FaultLab.name)@\(name)", "\(name)@s1"] {
                        for verb in ["suspend", "rm"] {
                            // Without a daemon's help: no name of these may get as far.
                            let run = try await CLIRun.fermata([verb, "--", target], in: lab.home)
                            #expect(run.status == 2, "\(verb) '\(target)': \(run)")
                        }
                        if name.isEmpty { break }
                    }
                }
                try await lab.expect(Self.running, "after all of it")
                #expect(lab.checkpoints == [])
            }
        }
    }
}
