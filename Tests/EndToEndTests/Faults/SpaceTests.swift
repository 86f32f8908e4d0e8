import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// The volume for checkpoints is full, before an operation or in the middle of one.
    @Suite struct SpaceTests {
        @Test(arguments: FaultLab.Bed.all)
        func `too little room is refused before anything stops`(_ bed: FaultLab.Bed) async throws {
            try await Self.onSmallVolume(megabytes: 8, bed) { lab in
                try await lab.up()
                let suspend = try await lab.fermata("suspend", FaultLab.name)
                #expect(suspend.status == 3, "\(suspend)")
                #expect(suspend.codes.contains("no-space"), "\(suspend)")
                try await lab.expect(["alpha": "running", "beta": "running"], "\(suspend)")
                #expect(lab.checkpoints == [])
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func `too little room is told together with all else that is in the way`(_ bed: FaultLab.Bed) async throws {
            try await Self.onSmallVolume(megabytes: 8, bed) { lab in
                try await lab.upUnsavable()
                try MonitorProbe(path: lab.probe("alpha")).ask("stop")
                let suspend = try await lab.suspend(["--at", "2020-01-01T00:00:00Z"])
                #expect(suspend.status == 3, "\(suspend)")
                #expect(
                    Set(suspend.reasons) == [
                        "alpha/machine-not-running", "alpha/migration-blocked", "/no-space", "/instant-past",
                    ],
                    "\(suspend)"
                )
                try await lab.expect(["alpha": "paused", "beta": "running"], "\(suspend)")
                #expect(lab.checkpoints == [])
            }
        }

        @Test(arguments: FaultLab.Bed.all)
        func
            `a volume that fills up between promise and instant: all run on, nothing is left, and it works with room again`(
                _ bed: FaultLab.Bed
            ) async throws
        {
            try await Self.onSmallVolume(megabytes: 400, bed) { lab in
                try await lab.up()
                let filler = "\(lab.home.path)/checkpoints/filler"
                let suspend = try await lab.follow("suspend", FaultLab.name, "--in", "6s") { command in
                    try await command.phase("armed")
                    Self.fill(filler)
                }
                #expect(suspend.status == 1, "\(suspend)")
                #expect(!suspend.codes.isEmpty)
                try await lab.expect(["alpha": "running", "beta": "running"], "\(suspend)")
                #expect(lab.checkpoints == [])
                unlink(filler)
                try await lab.done("suspend", "\(FaultLab.name)@next")
                try await lab.expectWhole("next", "after room was made")
                try await lab.done("resume", FaultLab.name)
                try await lab.expect(["alpha": "running", "beta": "running"], "after room was made")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `a volume that fills up while running machines are saved: all run on, and it works with room again`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await Self.onSmallVolume(megabytes: 400, FaultLab.Bed(qemu: qemu)) { lab in
                try await lab.up()
                let filler = "\(lab.home.path)/checkpoints/filler"
                let answer = try await lab.follow("checkpoint", FaultLab.name, "--in", "6s") { command in
                    try await command.phase("armed")
                    Self.fill(filler)
                }
                #expect(answer.status == 1, "\(answer)")
                try await lab.expect(["alpha": "running", "beta": "running"], "\(answer)")
                #expect(lab.checkpoints == [])
                unlink(filler)
                try await lab.done("checkpoint", "\(FaultLab.name)@next")
                try await lab.expectWhole("next", "after room was made")
                try await lab.expect(["alpha": "running", "beta": "running"], "after room was made")
            }
        }

        @Test func `a volume that fills up after the instant: all run on, and nothing is left`() async throws {
            try await Self.onSmallVolume(megabytes: 400, FaultLab.Bed()) { lab in
                try await lab.up()
                let filler = "\(lab.home.path)/checkpoints/filler"
                try await lab.holding("saving") { attempt in
                    let answer = try await SuspendStep.saving.hold(lab, as: "never-\(attempt)") { _ in Self.fill(filler)
                    }
                    #expect(answer.status == 1, "\(answer)")
                    try await lab.expect(["alpha": "running", "beta": "running"], "\(answer)")
                    #expect(lab.checkpoints == [])
                    unlink(filler)
                }
                try await lab.done("suspend", "\(FaultLab.name)@next")
                try await lab.expectWhole("next", "after room was made")
            }
        }

        @Test
        func
            `a volume that fills up before the seal: it is told, RAM stays in memory, and is sealed when there is room`()
            async throws
        {
            try await Self.onSmallVolume(megabytes: 400, FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                let filler = "\(lab.home.path)/checkpoints/filler"
                let files = try await RAMFileTests.unsealed(lab, as: "one")
                Self.fill(filler)
                RAMFileTests.letSeal(files)
                let verify = try await lab.fermata("verify", "\(FaultLab.name)@one")
                #expect(verify.status != 0 && verify.messages.contains("No space"), "\(verify)")
                #expect(access(files.path("seal.json"), F_OK) != 0)
                // What is in memory is as good as ever.
                try await lab.done("resume", "\(FaultLab.name)@one")
                try await lab.expect(["alpha": "running", "beta": "running"], "resumed from memory")
                try await lab.done("down", FaultLab.name)
                unlink(filler)
                try await lab.expectWhole("one", "after room was made")
                #expect(access(files.path("seal.json"), F_OK) == 0)
            }
        }

        @Test
        func
            `a volume without room for an edited or imported checkpoint: refused, the others are whole, nothing is left`()
            async throws
        {
            try await Self.onSmallVolume(megabytes: 400, FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                let filler = "\(lab.home.path)/checkpoints/filler"
                let archive = "\(lab.home.folder)/one.tar.zst"
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("export", "\(FaultLab.name)@one", archive)
                let commands = [
                    ["clock", "\(FaultLab.name)@one", "--clock", "+1h", "--as", "later"],
                    ["import", archive, "--as", "\(FaultLab.name)@copy"],
                ]
                Self.fill(filler)
                for command in commands {
                    let answer = try await lab.follow(command) { _ in }
                    #expect(answer.status != 0 && !answer.messages.isEmpty, "\(command): \(answer)")
                    #expect(lab.checkpoints == ["one"], "\(command): \(lab.checkpoints)")
                    try await lab.expectWhole("one", "\(command)")
                }
                unlink(filler)
                for command in commands {
                    let answer = try await lab.follow(command) { _ in }
                    #expect(answer.status == 0, "\(command): \(answer)")
                }
                for name in ["later", "copy"] { try await lab.expectWhole(name, "after room was made") }
            }
        }

        /// Until there is not a byte left.
        private static func fill(_ path: String) {
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            defer { close(file) }
            for size in [1 << 20, 4096, 1] {
                let block = [UInt8](repeating: 1, count: size)
                while write(file, block, size) > 0 {}
            }
        }

        private static func onSmallVolume(
            megabytes: Int,
            _ bed: FaultLab.Bed,
            _ body: @Sendable (FaultLab) async throws -> Void
        ) async throws {
            guard geteuid() == 0 else {
                print("skipped: a small volume for checkpoints can only be mounted as root")
                return
            }
            try await FaultLab.with(bed) { lab in
                let folder = "\(lab.home.path)/checkpoints"
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                chmod(lab.home.path, 0o700)
                guard mount("fermata-test", folder, "tmpfs", 0, "size=\(megabytes)m,mode=700") == 0 else {
                    print("skipped: no tmpfs can be mounted here: \(String(cString: strerror(errno)))")
                    return
                }
                // Lazily: a daemon that a failed test left may still have a file open.
                defer { umount2(folder, Int32(MNT_DETACH)) }
                try await body(lab)
            }
        }
    }
}
