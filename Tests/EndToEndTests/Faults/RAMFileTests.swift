import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// RAM that is in memory when something happens to it, to the host, or to who keeps it.
    @Suite struct RAMFileTests {
        /// Suspended, and kept from being sealed: RAM is in memory only.
        static func unsealed(_ lab: FaultLab, as name: String) async throws -> CheckpointFiles {
            let partial = "\(lab.home.path)/checkpoints/\(FaultLab.name)/\(name).partial"
            let answer = try await lab.follow("suspend", "\(FaultLab.name)@\(name)", "--in", "1500ms") { command in
                try await command.phase("armed")
                // In the way of the copy that becomes `ram`.
                mkdir("\(partial)/machines/alpha/ram.copy", 0o700)
            }
            try #require(answer.status == 0, "\(answer)")
            let files = CheckpointFiles(of: lab, name)
            try #require(access(files.path("seal.json"), F_OK) != 0)
            return files
        }

        static func letSeal(_ files: CheckpointFiles) { rmdir(files.path("machines/alpha/ram.copy")) }

        @Test(arguments: FaultLab.Bed.file)
        func `a daemon that dies before RAM is on disk: the next one brings it there`(
            _ bed: FaultLab.Bed
        ) async throws {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                let files = try await Self.unsealed(lab, as: "one")
                try await lab.killDaemon()
                Self.letSeal(files)
                try await lab.done("ps")
                try await lab.expectWhole("one", "after the next daemon sealed it")
                #expect(access(files.path("seal.json"), F_OK) == 0)
                try await lab.done("resume", FaultLab.name)
                try await lab.expect(["alpha": "running", "beta": "running"], "resumed")
            }
        }

        @Test(arguments: FaultLab.Bed.file)
        func `the host's power fails before RAM is on disk: that checkpoint is gone, the one before is whole`(
            _ bed: FaultLab.Bed
        ) async throws {
            try await FaultLab.with(bed) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("resume", FaultLab.name)
                _ = try await Self.unsealed(lab, as: "two")
                try await lab.killDaemon()
                // What is in memory does not outlive it.
                for name in FaultLab.contents(lab.home.ramFolder) {
                    try FileManager.default.removeItem(atPath: "\(lab.home.ramFolder)/\(name)")
                }
                try await lab.done("ps")
                #expect(lab.checkpoints == ["one"])
                #expect(try await lab.state() == "down")
                #expect(lab.home.log.contains("\(FaultLab.name)@two was not sealed"))
                try await lab.expectWhole("one", "after a loss of power")
                try await lab.done("resume", "\(FaultLab.name)@one")
                try await lab.expect(["alpha": "running", "beta": "running"], "resumed")
            }
        }

        @Test func `a checkpoint that is not sealed can be resumed in each way, and removed`() async throws {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                let files = try await Self.unsealed(lab, as: "one")
                for use in ["--keep", "--ephemeral", "--copy"] {
                    try await lab.done("resume", "\(FaultLab.name)@one", use)
                    try await lab.expect(["alpha": "running", "beta": "running"], use)
                    try await lab.done("down", FaultLab.name)
                }
                Self.letSeal(files)
                try await lab.expectWhole("one", "sealed at last")
                try await lab.done("rm", "\(FaultLab.name)@one")
                #expect(lab.checkpoints == [])
                #expect(Self.ramFiles(lab) == [], "nobody's RAM is left")
            }
        }

        @Test func `on a disk whose files share blocks each resume has RAM of its own, and copies nothing`()
            async throws
        {
            try await CLIHome.with { home in
                guard let disk = StateDisk.make(.xfs, megabytes: 512, for: home) else { return }
                defer { disk.unmount() }
                let bed = FaultLab.Bed(ram: "file")
                try await FaultLab.with(bed, in: home, settings: ["FERMATA_RAM_FOLDER": home.path]) { lab in
                    try await lab.up()
                    try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                    let before = try CheckpointFiles(of: lab, "one").contents()
                    for attempt in 1...2 {
                        let resume = try await lab.done("resume", "\(FaultLab.name)@one")
                        let machines = try #require(resume.result["machines"]?.arrayValue)
                        #expect(machines.count == 2 && machines.allSatisfy { $0["ram"]?["isView"] == nil }, "\(resume)")
                        try await lab.expect(["alpha": "running", "beta": "running"], "resume \(attempt)")
                        // A file of its own is handed over, a view would be written out.
                        let suspend = try await lab.done("suspend", "\(FaultLab.name)@again-\(attempt)", "--sealed")
                        let ways = suspend.result["machines"]?.arrayValue?.compactMap { $0["ram"]?["way"]?.stringValue }
                        #expect(ways == ["file", "file"], "\(suspend)")
                        try await lab.expectWhole("again-\(attempt)", "on shared blocks")
                    }
                    #expect(try CheckpointFiles(of: lab, "one").contents() == before)
                    try await lab.expectWhole("one", "others went on with its blocks")
                }
            }
        }

        @Test func `RAM in memory that a clone looks at is not taken over by another machine, and RAM on disk is`()
            async throws
        {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                let manifest = try lab.home.file(
                    "one.yaml",
                    "{simulation: \(FaultLab.name), machines: {alpha: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M}}}"
                )
                try await lab.done("up", manifest)
                let files = try await Self.unsealed(lab, as: "one")
                let clone = try await lab.done("clone", "\(FaultLab.name)@one", "--as", "other")
                let consume = ["resume", "\(FaultLab.name)@one", "--consume"]
                let refused = try await lab.follow(consume) { _ in }
                #expect(
                    refused.status == 3 && refused.codes.contains("checkpoint-in-use"),
                    "\(refused), after \(clone)"
                )
                #expect(refused.messages.contains("other/alpha"), "\(refused)")
                Self.letSeal(files)
                try await lab.expectWhole("one", "sealed while a clone looks at what is in memory")
                let taken = try await lab.follow(consume) { _ in }
                #expect(taken.status == 0, "\(taken)")
                for name in ["other", FaultLab.name] { try await lab.done("down", name) }
            }
        }

        @Test func `removing a checkpoint that is not sealed frees its memory`() async throws {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                _ = try await Self.unsealed(lab, as: "one")
                #expect(Self.ramFiles(lab).count == 2)
                try await lab.done("down", FaultLab.name)
                try await lab.done("rm", "\(FaultLab.name)@one")
                #expect(Self.ramFiles(lab) == [])
            }
        }

        @Test func `damage to RAM in a file is told, and a link that leads elsewhere is not followed`() async throws {
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                let files = CheckpointFiles(of: lab, "one")
                let ram = "machines/alpha/ram"
                let original = try files.bytes(ram)

                try files.flip(ram, at: 0x7000)
                let verify = try await lab.fermata("verify", "\(FaultLab.name)@one")
                #expect(verify.status == 6 && verify.run.output.contains(ram), "\(verify)")

                try files.write(original.dropLast(4096), to: ram)
                try await Self.expectRefused(lab, "checkpoint-corrupt", ram)

                unlink(files.path(ram))
                try await Self.expectRefused(lab, "checkpoint-corrupt", ram)

                let elsewhere = "\(lab.home.folder)/elsewhere"
                try Data(original).write(to: URL(filePath: elsewhere))
                symlink(elsewhere, files.path(ram))
                try await Self.expectRefused(lab, "ram-elsewhere", elsewhere, status: 3)
                #expect(try Data(contentsOf: URL(filePath: elsewhere)) == Data(original))

                unlink(files.path(ram))
                try files.write(original, to: ram)
                try await lab.expectWhole("one", "mended")
                try await lab.done("resume", "\(FaultLab.name)@one")
                try await lab.expect(["alpha": "running", "beta": "running"], "mended")
            }
        }

        private static func expectRefused(
            _ lab: FaultLab,
            _ code: String,
            _ what: String,
            status: Int32 = 6
        ) async throws {
            let resume = try await lab.fermata("resume", "\(FaultLab.name)@one")
            #expect(resume.status == status && resume.codes.contains(code), "\(resume)")
            #expect(resume.run.output.contains(what), "\(resume)")
            try await lab.expect([:], "\(code): \(resume)")
        }

        @Test func `too little room for RAM: refused where a file is asked for, otherwise without one, and said so`()
            async throws
        {
            guard geteuid() == 0 else {
                print("skipped: a small folder for RAM can only be mounted as root")
                return
            }
            try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
                guard mount("fermata-test", lab.home.ramFolder, "tmpfs", 0, "size=40m,mode=700") == 0 else {
                    print("skipped: no tmpfs can be mounted here: \(String(cString: strerror(errno)))")
                    return
                }
                defer { umount2(lab.home.ramFolder, Int32(MNT_DETACH)) }
                let up = try await lab.fermata("up", try lab.manifest())
                #expect(up.status == 3 && up.codes.contains("no-space"), "\(up)")
                try await lab.expect([:], "refused")
                #expect(Self.ramFiles(lab) == [])

                let text = try String(contentsOfFile: try lab.manifest(), encoding: .utf8)
                let other = try lab.home.file("any.yaml", text.replacing("    ram: file\n", with: ""))
                let without = try await lab.done("up", other)
                #expect(without.run.output.contains("its RAM is not in a file"), "\(without)")
                let suspend = try await lab.done("suspend", FaultLab.name)
                let ways = suspend.result["machines"]?.arrayValue?.compactMap { $0["ram"]?["way"]?.stringValue }
                #expect(Set(ways ?? []) == ["file", "stream"], "one of two had room: \(suspend)")
            }
        }

        /// Of machines and of checkpoints that are not on disk.
        private static func ramFiles(_ lab: FaultLab) -> [String] {
            (try? CheckpointFiles.shell("find '\(lab.home.ramFolder)' -name '*.ram'").split(separator: "\n").map(
                String.init
            ))
                ?? ["not to be found out"]
        }
    }
}
