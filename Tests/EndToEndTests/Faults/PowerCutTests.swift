import FoundationEssentials
import Glibc
import Testing

extension FaultTests {
    /// The host's power fails at each step of what writes checkpoints: what of the state folder had reached the disk is there afterwards, whatever
    /// was in memory is not, and no process lives.
    @Suite struct PowerCutTests {
        private static let phases = ["preparing", "armed", "happened", "deciding"]

        struct Case: CustomTestStringConvertible {
            var verb: String
            var bed: FaultLab.Bed

            var testDescription: String { "\(verb), \(bed.testDescription)" }

            static var all: [Case] {
                [Case(verb: "suspend", bed: FaultLab.Bed()), Case(verb: "suspend", bed: FaultLab.Bed(ram: "file"))]
                    + FaultLab.Bed.file.map { Case(verb: "checkpoint", bed: $0) }
            }

            /// Whether the new checkpoint is on disk before anybody is told of it; the RAM of a suspend may be in memory for a while.
            var isDurableWhenTold: Bool { verb == "checkpoint" || bed.ram != "file" }
        }

        @Test(arguments: Case.all)
        func `after a loss of power the previous checkpoint is whole, and the new one whole or absent`(
            _ test: Case
        ) async throws {
            try await FaultLab.with(test.bed) { lab in
                guard let disk = StateDisk.make(.ext4, megabytes: 256, for: lab.home) else { return }
                defer { disk.unmount() }
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("resume", FaultLab.name)

                let answer = try await lab.follow(test.verb, "\(FaultLab.name)@two", "--in", "10s") { command in
                    for phase in Self.phases {
                        try await command.phase(phase)
                        try Self.cut(disk, lab, phase)
                    }
                }
                try #require(answer.status == 0, "\(answer)")
                try Self.cut(disk, lab, "told")
                try await lab.expectWhole("two", "before any loss of power")
                try Self.cut(disk, lab, "sealed")
                try await lab.killDaemon()
                disk.unmount()

                for step in Self.phases + ["told", "sealed"] {
                    try await Self.afterLoss(lab, disk, step) {
                        #expect(
                            lab.checkpoints.allSatisfy { ["one", "two"].contains($0) },
                            "\(step): \(lab.checkpoints)"
                        )
                        if lab.checkpoints.contains("two") {
                            try await lab.expectWhole("two", "power lost when \(step)")
                        } else {
                            #expect(step != "sealed", "what was sealed is gone")
                            #expect(step != "told" || !test.isDurableWhenTold, "what was told is gone")
                        }
                    }
                }
            }
        }

        @Test func `after a loss of power what was edited or imported is whole or absent, and whole once it was told`()
            async throws
        {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                guard let disk = StateDisk.make(.ext4, megabytes: 384, for: lab.home) else { return }
                defer { disk.unmount() }
                let archive = "\(lab.home.folder)/one.tar.zst"
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("export", "\(FaultLab.name)@one", archive)
                var steps: [String] = []
                for (name, arguments) in [
                    ("edited", ["clock", "\(FaultLab.name)@one", "--clock", "+1h", "--as"]),
                    ("imported", ["import", archive, "--as"]),
                ] {
                    for moment in [20, 60, 180] {
                        let answer = try await lab.follow(
                            arguments
                                + ["\(name)-\(moment)"].map { name in
                                    arguments[0] == "import" ? "\(FaultLab.name)@\(name)" : name
                                }
                        ) { _ in
                            try await Task.sleep(for: .milliseconds(moment))
                            try Self.cut(disk, lab, "\(name)-\(moment)")
                        }
                        try #require(answer.status == 0, "\(answer)")
                        steps.append("\(name)-\(moment)")
                    }
                    try Self.cut(disk, lab, "\(name)-told")
                    steps.append("\(name)-told")
                }
                try await lab.killDaemon()
                disk.unmount()

                var there: [String: Int] = [:]
                for step in steps {
                    try await Self.afterLoss(lab, disk, step) {
                        for name in lab.checkpoints { try await lab.expectWhole(name, "power lost when \(step)") }
                        there[step] = lab.checkpoints.count
                    }
                }
                #expect(there["edited-told"] == 4 && there["imported-told"] == 7, "\(there)")
                print("checkpoints after each loss of power: \(there.sorted { $0.key < $1.key })")
            }
        }

        @Test func `after a loss of power RAM that machines took over is back as it was, or known to be gone`()
            async throws
        {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                guard let disk = StateDisk.make(.ext4, megabytes: 256, for: lab.home) else { return }
                defer { disk.unmount() }
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("resume", FaultLab.name)
                try await lab.done("suspend", "\(FaultLab.name)@two", "--sealed")
                let answer = try await lab.follow("resume", "\(FaultLab.name)@two", "--consume", "--in", "10s") {
                    command in
                    for phase in Self.phases {
                        try await command.phase(phase)
                        try Self.cut(disk, lab, phase)
                    }
                }
                try #require(answer.status == 0, "\(answer)")
                try Self.cut(disk, lab, "told")
                try await lab.killDaemon()
                disk.unmount()

                var whole: [String] = []
                for step in Self.phases + ["told"] {
                    try await Self.afterLoss(lab, disk, step) {
                        let verify = try await lab.fermata("verify", "\(FaultLab.name)@two")
                        guard verify.status != 0 else {
                            #expect(
                                ["preparing", "armed"].contains(step),
                                "whole again although machines ran on it: \(step)"
                            )
                            whole.append(step)
                            return
                        }
                        #expect(
                            step != "preparing" && verify.codes.contains("checkpoint-consumed"),
                            "\(step): \(verify)"
                        )
                    }
                }
                print("RAM that was taken over is back after a loss of power when: \(whole)")
            }
        }

        /// Nobody writes while the disk is copied.
        private static func cut(_ disk: StateDisk, _ lab: FaultLab, _ step: String) throws {
            let daemon = lab.home.daemon
            for machine in FaultLab.machines { lab.freeze(machine) }
            if let daemon { kill(daemon, SIGSTOP) }
            defer {
                if let daemon { kill(daemon, SIGCONT) }
                for machine in FaultLab.machines { lab.thaw(machine) }
            }
            try disk.cut(step)
        }

        /// - Parameter expect: asked when a new daemon has found what is left; `one` is whole and goes on after that.
        private static func afterLoss(
            _ lab: FaultLab,
            _ disk: StateDisk,
            _ step: String,
            expect: () async throws -> Void
        ) async throws {
            for machine in FaultLab.machines { try await lab.killQEMU(machine) }
            for name in FaultLab.contents(lab.home.ramFolder) {
                try FileManager.default.removeItem(atPath: "\(lab.home.ramFolder)/\(name)")
            }
            try disk.mount(asOf: step)
            defer { disk.unmount() }
            try await lab.done("ps")
            try await lab.expectWhole("one", "power lost when \(step)")
            try await expect()
            // What died with the power is cleared away, as after any other death of a machine.
            try await lab.done("down", FaultLab.name)
            try await lab.done("resume", "\(FaultLab.name)@one")
            #expect(try await lab.runStates() == ["alpha": "running", "beta": "running"], "power lost when \(step)")
            try await lab.done("down", FaultLab.name)
            try await lab.killDaemon()
        }
    }
}
