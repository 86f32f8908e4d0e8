import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// A QEMU that does not end but hangs: stopped by SIGSTOP, as by a disk that does not answer.
    @Suite struct HangTests {
        @Test(arguments: FaultLab.QEMU.present)
        func `a QEMU that hangs in the middle of a suspend: the other runs on, and 'down' ends both`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let beta = try #require(lab.qemus(of: "beta").first)
                defer { Glibc.kill(beta, SIGCONT) }
                let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@never", "--in", "1s") { client in
                    try await FaultLab.wait(for: "the operation to be armed") { lab.journalPhase == "armed" }
                    Glibc.kill(beta, SIGSTOP)
                    // alpha stops at the instant, and no answer of beta's ever comes. Nobody waits for that.
                    try await FaultLab.wait(for: "alpha to stop") { try await lab.runState(of: "alpha") != "running" }
                    Glibc.kill(client, SIGINT)
                    try await FaultLab.wait(for: "alpha to go on") { try await lab.runState(of: "alpha") == "running" }
                }
                #expect(suspend.status == 5, "\(suspend)")
                #expect(suspend.names("beta"), "\(suspend)")
                #expect(lab.checkpoints.allSatisfy { $0.hasSuffix(".partial") }, "\(suspend)")
                let down = try await lab.fermata("down", FaultLab.name)
                #expect(down.status == 0, "\(down)")
                try await FaultLab.wait(for: "both to end") { lab.qemus().isEmpty }
                lab.expectSettled("\(down)")
                #expect(lab.checkpoints == [], "\(down)")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `a QEMU that hung and wakes: its machine goes on, too, and nobody has to ask for it`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let beta = try #require(lab.qemus(of: "beta").first)
                defer { Glibc.kill(beta, SIGCONT) }
                _ = try await lab.fermata("suspend", "\(FaultLab.name)@never", "--in", "1s") { client in
                    try await FaultLab.wait(for: "the operation to be armed") { lab.journalPhase == "armed" }
                    Glibc.kill(beta, SIGSTOP)
                    try await FaultLab.wait(for: "alpha to stop") { try await lab.runState(of: "alpha") != "running" }
                    Glibc.kill(client, SIGINT)
                }
                try await FaultLab.wait(for: "alpha to go on") { try await lab.runState(of: "alpha") == "running" }
                Glibc.kill(beta, SIGCONT)
                try await FaultLab.wait(for: "the journal to be empty") { lab.journal == [] }
                try await lab.expect(["alpha": "running", "beta": "running"], "beta woke")
                #expect(lab.checkpoints == [])
            }
        }
    }

    /// A daemon that is told to end in the middle of an operation.
    @Suite struct DaemonEndTests {
        @Test(arguments: ["--in 300s", "saving"])
        func `'serve --stop' calls off what is under way: all machines run on, and nothing is left`(_ when: String)
            async throws
        {
            try await FaultLab.with { lab in
                try await lab.up()
                let late = when.hasPrefix("--in") ? "300s" : "500ms"
                let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@never", "--in", late) { _ in
                    try await FaultLab.wait(for: "the operation to be armed") { lab.journalPhase == "armed" }
                    if when == "saving" {
                        try await FaultLab.wait(for: "alpha to stop") {
                            try await lab.runState(of: "alpha") != "running"
                        }
                    }
                    let stop = try await lab.fermata("serve", "--stop")
                    #expect(stop.status == 0, "\(stop)")
                }
                // Saved already when it was told to end: then it is suspended as a whole.
                if suspend.status == 0 {
                    try await lab.expect([:], "\(suspend)")
                    #expect(when == "saving", "\(suspend)")
                } else {
                    #expect(suspend.status == 130, "\(suspend)")
                    try await lab.expect(["alpha": "running", "beta": "running"], "\(suspend)")
                    #expect(lab.checkpoints == [], "\(suspend)")
                }
                lab.expectSettled("\(suspend)")
            }
        }
    }
}
