import Glibc
import Testing

extension FaultTests {
    /// Two want the same simulation: one has it, the other is told so with exit code 3, and nothing is half done.
    @Suite struct TwoAtOnceTests {
        static let running = ["alpha": "running", "beta": "running"]

        @Test(arguments: FaultLab.QEMU.present)
        func `of two suspends at once one is refused, and the other is done`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                async let one = lab.fermata("suspend", "\(FaultLab.name)@one", "--in", "2s")
                async let two = lab.fermata("suspend", "\(FaultLab.name)@two", "--in", "2s")
                let ends = try await Self.expectOneWins([one, two])
                try await lab.expect([:], "\(ends)")
                #expect(lab.checkpoints.count == 1)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `of two resumes at once one is refused, and the other is done`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one")
                async let one = lab.fermata("resume", "\(FaultLab.name)@one", "--in", "2s")
                async let two = lab.fermata("resume", "\(FaultLab.name)@one", "--in", "2s")
                let ends = try await Self.expectOneWins([one, two])
                try await lab.expect(Self.running, "\(ends)")
                #expect(lab.qemus().count == 2, "\(ends)")
                try await lab.expectWhole("one", "\(ends)")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `of two starts at once one is refused, and the other is done`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                let manifest = try lab.manifest()
                try await lab.done("ps")
                async let one = lab.fermata("up", manifest, "--in", "2s")
                async let two = lab.fermata("up", manifest, "--in", "2s")
                let ends = try await Self.expectOneWins([one, two])
                try await lab.expect(Self.running, "\(ends)")
                #expect(lab.qemus().count == 2, "\(ends)")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `while a resume is under way its checkpoint cannot be removed, nor the simulation ended or adopted into`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one")
                let resume = try await lab.follow("resume", "\(FaultLab.name)@one", "--in", "3s") { command in
                    try await FaultLab.wait(for: "the journal") { !lab.journal.isEmpty }
                    try await Self.expectBusy(lab.fermata("rm", "\(FaultLab.name)@one"))
                    try await Self.expectBusy(lab.fermata("down", FaultLab.name))
                    try await Self.expectBusy(lab.fermata("adopt", FaultLab.name, "gamma", lab.probe("alpha")))
                    #expect(!command.hasSeen(phase: "finished"), "all of that was before the end")
                }
                #expect(resume.status == 0, "\(resume)")
                try await lab.expect(Self.running, "\(resume)")
                try await lab.expectWhole("one", "\(resume)")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `while a suspend is under way no clock is read and nothing ended, and no suspend begins while one is read`(
            _ qemu: FaultLab.QEMU
        )
            async throws
        {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                let suspend = try await lab.follow("suspend", "\(FaultLab.name)@one", "--in", "2s") { command in
                    try await FaultLab.wait(for: "the journal") { !lab.journal.isEmpty }
                    try await Self.expectBusy(lab.fermata("clock", FaultLab.name))
                    try await Self.expectBusy(lab.fermata("down", FaultLab.name))
                    #expect(!command.hasSeen(phase: "finished"), "that was before the end")
                }
                #expect(suspend.status == 0, "\(suspend)")
                try await lab.expect([:], "\(suspend)")
                try await lab.done("resume", FaultLab.name)
                // A clock is read in milliseconds: alpha keeps it waiting.
                lab.freeze("alpha")
                let clock = try await lab.follow("clock", FaultLab.name) { _ in
                    // Who comes first is not seen from outside; the command takes a moment to ask.
                    try await Task.sleep(for: .milliseconds(700))
                    try await Self.expectBusy(lab.fermata("suspend", "\(FaultLab.name)@two"))
                    lab.thaw("alpha")
                }
                #expect(clock.status == 0, "\(clock)")
                try await lab.expect(Self.running, "\(clock)")
                #expect(lab.checkpoints == ["one"])
                try await lab.done("suspend", "\(FaultLab.name)@two")
            }
        }

        @discardableResult
        private static func expectOneWins(_ both: [FaultLab.Answer]) -> [FaultLab.Answer] {
            let ends = both.sorted { $0.status < $1.status }
            #expect(ends.map(\.status) == [0, 3], "\(ends)")
            expectBusy(ends[1])
            return ends
        }

        private static func expectBusy(_ answer: FaultLab.Answer) {
            #expect(answer.status == 3, "\(answer)")
            #expect(Set(answer.codes) == ["busy"], "\(answer)")
            #expect(answer.run.errors.contains("under way") || answer.messages.contains("held by"), "\(answer)")
        }
    }
}
