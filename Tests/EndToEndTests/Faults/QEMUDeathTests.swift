import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// A QEMU is killed with -9 at many moments of an operation.
    @Suite struct QEMUDeathTests {
        /// After the command was given, in milliseconds; the instant is about 150 ms after it on an idle host, and all is
        /// saved within some 400 ms. On a busy one everything moves; whatever the moment hits, the same has to hold.
        static let moments = [0, 120, 160, 200, 240, 280, 320, 380, 450, 700]

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

        @Test(arguments: FaultLab.QEMU.present)
        func `killed at any moment of a suspend: the other runs on, and what was saved before stays good`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                var ends: [Int32: Int] = [:]
                for moment in Self.moments {
                    try await lab.done("resume", "\(FaultLab.name)@first")
                    let name = "t\(moment)"
                    let suspend = try await lab.fermata("suspend", "\(FaultLab.name)@\(name)") { _ in
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killQEMU("alpha")
                    }
                    ends[suspend.status, default: 0] += 1
                    let what = "killed \(moment) ms into the suspend: \(suspend)"
                    if suspend.status == 0 {
                        try await lab.expect([:], what)
                        try await lab.expectWhole(name, what)
                    } else {
                        #expect([1, 3, 4].contains(suspend.status), "\(what)")
                        #expect(suspend.status == 4 || suspend.names("alpha"), "\(what)")
                        try await lab.expect(["beta": "running"], what)
                        #expect(!lab.checkpoints.contains(name), "\(what)")
                    }
                    try await lab.expectWhole("first", what)
                    try await lab.done("down", FaultLab.name)
                    try await lab.expect([:], what)
                }
                print("ends of suspends with a killed QEMU \(qemu.rawValue), by exit code: \(ends)")
                #expect(ends.keys.contains { $0 != 0 })
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `killed at any moment of a resume: no machine is left, and the checkpoint is as good as before`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                var ends: [Int32: Int] = [:]
                for moment in Self.moments {
                    let resume = try await lab.fermata("resume", "\(FaultLab.name)@first") { _ in
                        try await FaultLab.wait(for: "a QEMU") { !lab.qemus(of: "alpha").isEmpty }
                        try await Task.sleep(for: .milliseconds(moment))
                        try await lab.killQEMU("alpha")
                    }
                    ends[resume.status, default: 0] += 1
                    let what = "killed \(moment) ms after it was started for a resume: \(resume)"
                    if resume.status == 0 {
                        try await lab.expect(["beta": "running"], what)
                    } else {
                        #expect([1, 3, 4].contains(resume.status), "\(what)")
                        #expect(resume.status == 4 || resume.names("alpha"), "\(what)")
                        try await lab.expect([:], what)
                    }
                    try await lab.expectWhole("first", what)
                    if resume.status == 0 { try await lab.done("down", FaultLab.name) }
                }
                print("ends of resumes with a killed QEMU \(qemu.rawValue), by exit code: \(ends)")
                #expect(ends.keys.contains { $0 != 0 })
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }
    }
}
