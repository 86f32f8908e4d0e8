import Glibc
import JSON
import Testing

extension FaultTests {
    /// The daemon is killed with -9 in every step of an operation; the next verb starts another one, which settles it.
    @Suite struct DaemonDeathTests {
        static let running = ["alpha": "running", "beta": "running"]

        @Test(arguments: FaultLab.QEMU.present)
        func `killed while it wrote the journal: what never became an entry is cleared away`(_ qemu: FaultLab.QEMU)
            async throws
        {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.killDaemon()
                let half = open("\(lab.home.path)/journal/half.json.new", O_WRONLY | O_CREAT, 0o600)
                #expect(half >= 0)
                close(half)
                try await lab.done("ps")
                try await lab.expect(Self.running, "half an entry")
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func `killed in each step of a suspend: all run on without a decision, and all is saved with one`(
            _ bed: FaultLab.Bed
        ) async throws {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                try await lab.done("resume", FaultLab.name)
                // What differs with the way for RAM is in the middle.
                let steps = bed.isFull ? SuspendStep.allCases : [.saving, .saved, .decided]
                for step in steps {
                    try await lab.holding("\(step)") { attempt in
                        let name = "\(step.rawValue.lowercased())-\(attempt)"
                        let suspend = try await step.hold(lab, as: name) { try await $0.killDaemon() }
                        let state = try await lab.state()
                        let what = "daemon killed in '\(step)'; ps: \(state ?? "none"); \(suspend)"
                        #expect(suspend.status == 5, "\(what)")
                        try await lab.expectWhole("first", what)
                        guard step.isDecided else {
                            #expect(state == "running", "\(what)")
                            #expect(!lab.checkpoints.contains(name), "\(what)")
                            return try await lab.expect(Self.running, what)
                        }
                        #expect(state == "suspended", "\(what)")
                        try await lab.expect([:], what)
                        try await lab.expectWhole(name, what)
                        try await lab.done("resume", FaultLab.name)
                        try await lab.expect(Self.running, what)
                    }
                }
                try await lab.done("suspend", "\(FaultLab.name)@last")
                try await lab.done("resume", "\(FaultLab.name)@last")
                try await lab.expect(Self.running, "after all of it")
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func `killed in each step of a resume: none is left of what had not begun to run, and what runs stays`(
            _ bed: FaultLab.Bed
        ) async throws {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                for step in bed.isFull ? LaunchStep.allCases : [.preparing, .armed] {
                    try await lab.holding("\(step)") { _ in
                        let resume = try await step.hold(lab, "resume", "\(FaultLab.name)@first") {
                            try await $0.killDaemon()
                        }
                        let state = try await lab.state()
                        let what = "daemon killed in '\(step)'; ps: \(state ?? "none"); \(resume)"
                        #expect(resume.status == 5, "\(what)")
                        #expect(state == (step.hasHappened ? "running" : "suspended"), "\(what)")
                        try await lab.expect(step.hasHappened ? Self.running : [:], what)
                        try await lab.expectWhole("first", what)
                        if step.hasHappened { try await lab.done("down", FaultLab.name) }
                        try await lab.expect([:], what)
                    }
                }
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(Self.running, "after all of it")
            }
        }

        @Test
        func `killed in each step of a resume that consumes: the checkpoint is whole again, or its machines run on`()
            async throws
        {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@base", "--sealed")
                try await lab.done("resume", FaultLab.name)
                for step in LaunchStep.allCases {
                    try await lab.holding("\(step)") { attempt in
                        // A step that was missed has consumed what it was to be held with.
                        if try await lab.state() != "running" { try await lab.done("resume", "\(FaultLab.name)@base") }
                        let target = "\(FaultLab.name)@\(step)-\(attempt)"
                        try await lab.done("suspend", target, "--sealed")
                        let resume = try await step.hold(lab, "resume", target, "--consume") {
                            try await $0.killDaemon()
                        }
                        let state = try await lab.state()
                        let what = "daemon killed in '\(step)'; ps: \(state ?? "none"); \(resume)"
                        #expect(resume.status == 5, "\(what)")
                        #expect(state == (step.hasHappened ? "running" : "suspended"), "\(what)")
                        try await lab.expect(step.hasHappened ? Self.running : [:], what)
                        let verify = try await lab.fermata("verify", target)
                        guard step.hasHappened else {
                            #expect(verify.status == 0, "\(what); \(verify)")
                            try await lab.done("resume", target)
                            return
                        }
                        #expect(verify.codes.contains("checkpoint-consumed"), "\(what); \(verify)")
                    }
                }
                try await lab.expect(Self.running, "after all of it")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `killed in each step of a start: none is left of what had not begun to run, and what runs stays`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.done("ps")
                let manifest = try lab.manifest()
                for step in LaunchStep.allCases {
                    try await lab.holding("\(step)") { _ in
                        let start = try await step.hold(lab, "up", manifest) { try await $0.killDaemon() }
                        let state = try await lab.state()
                        let what = "daemon killed in '\(step)'; ps: \(state ?? "none"); \(start)"
                        #expect(start.status == 5, "\(what)")
                        #expect(step.hasHappened == (state == "running"), "\(what)")
                        try await lab.expect(step.hasHappened ? Self.running : [:], what)
                        if step.hasHappened { try await lab.done("down", FaultLab.name) }
                        try await lab.expect([:], what)
                    }
                }
                try await lab.up()
                try await lab.expect(Self.running, "after all of it")
            }
        }
    }
}
