import Testing

extension FaultTests {
    /// A QEMU is killed with -9 in every step of an operation.
    @Suite struct QEMUDeathTests {
        @Test(arguments: FaultLab.QEMU.present)
        func `a machine that died while it ran is named, and the others run on`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.killQEMU("alpha")
                let suspend = try await lab.fermata("suspend", FaultLab.name)
                #expect(suspend.status == 3, "\(suspend)")
                #expect(suspend.names("alpha"))
                try await lab.expect(["beta": "running"], "\(suspend)")
                #expect(lab.checkpoints == [])
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func `killed in each step of a suspend: what is saved stays, and else the other runs on`(_ bed: FaultLab.Bed)
            async throws
        {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                try await lab.done("resume", "\(FaultLab.name)@first")
                var ends: [String: Int32] = [:]
                for step in bed.isFull ? SuspendStep.withLivingAlpha : [.saving, .saved] {
                    try await lab.holding("\(step)") { attempt in
                        let name = "\(step.rawValue.lowercased())-\(attempt)"
                        let suspend = try await step.hold(lab, as: name) { try await $0.killQEMU("alpha") }
                        ends[step.rawValue] = suspend.status
                        let what = "alpha killed in '\(step)': \(suspend)"
                        if suspend.status == 0 {
                            #expect(step.isSaved, "\(what)")
                            try await lab.expect([:], what)
                            try await lab.expectWhole(name, what)
                        } else {
                            #expect(!step.isDecided, "\(what)")
                            // Called off is not for the machine's sake.
                            #expect(
                                suspend.status == (step == .rollingBack ? 130 : step == .preparing ? 3 : 1),
                                "\(what)"
                            )
                            #expect(step == .rollingBack || suspend.names("alpha"), "\(what)")
                            try await lab.expect(["beta": "running"], what)
                            #expect(!lab.checkpoints.contains(name), "\(what)")
                        }
                        try await lab.expectWhole("first", what)
                        try await lab.done("down", FaultLab.name)
                        try await lab.expect([:], what)
                        try await lab.done("resume", "\(FaultLab.name)@first")
                    }
                }
                print("exit codes of a suspend on \(bed.testDescription) with a QEMU killed in each step: \(ends)")
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func
            `killed in each step of a resume: none is left of what had not begun to run, and the checkpoint is as before`(
                _ bed: FaultLab.Bed
            ) async throws
        {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                var ends: [String: Int32] = [:]
                for step in bed.isFull ? LaunchStep.allCases : [.preparing, .armed] {
                    try await lab.holding("\(step)") { _ in
                        let resume = try await step.hold(lab, "resume", "\(FaultLab.name)@first") {
                            try await $0.killQEMU("alpha")
                        }
                        ends[step.rawValue] = resume.status
                        let what = "alpha killed in '\(step)': \(resume)"
                        if step.hasHappened {
                            // A machine that dies after the instant has died while it ran.
                            #expect(resume.status == 0, "\(what)")
                            try await lab.expect(["beta": "running"], what)
                            try await lab.done("down", FaultLab.name)
                        } else {
                            #expect(resume.status == (step == .preparing ? 3 : 1), "\(what)")
                            #expect(resume.names("alpha"), "\(what)")
                        }
                        try await lab.expect([:], what)
                        try await lab.expectWhole("first", what)
                    }
                }
                print("exit codes of a resume on \(bed.testDescription) with a QEMU killed in each step: \(ends)")
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }
    }
}
