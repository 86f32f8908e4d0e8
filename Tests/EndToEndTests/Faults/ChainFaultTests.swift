import Glibc
import FoundationEssentials
import Testing

extension FaultTests {
    /// Something breaks while the layers of a running machine's disk are made fewer.
    @Suite struct ChainFaultTests {
        /// Slow enough that a job of some mebibytes is under way for as long as a test wants it to be.
        private static let slow = 4096

        @Test(arguments: FaultLab.QEMU.present)
        func `the daemon is killed meanwhile: the next one calls the work off for a checkpoint, and none has changed`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                let before = try await Self.threeCheckpoints(lab)
                try lab.beginStream(speed: Self.slow)
                try await lab.killDaemon()
                try await lab.done("ps")
                try #require(try lab.blockJobs().count == 1)
                try await lab.done("checkpoint", "\(FaultLab.name)@c4")
                #expect(try lab.blockJobs().isEmpty)
                try await Self.expectUnchanged(lab, before)
                try await lab.expectWhole("c4", "after work on its layers was called off")
                for place in 1...3 { #expect(try lab.diskHas(place, atMebibyte: place, in: "c4")) }
                try await Self.goBack(lab)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `the daemon is killed meanwhile, and QEMU ends the work: the next checkpoint stands on the base alone`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                let before = try await Self.threeCheckpoints(lab)
                try lab.beginStream(speed: Self.slow)
                try await lab.killDaemon()
                try lab.setStreamSpeed(0)
                try await FaultLab.wait(for: "QEMU to end its work") { try lab.blockJobs().isEmpty }
                #expect(try lab.openDisk().files.dropFirst() == [lab.base])
                try await lab.done("checkpoint", "\(FaultLab.name)@c4")
                let manifest = try CheckpointFiles(of: lab, "c4").bytes("checkpoint.json")
                #expect(!String(decoding: manifest, as: UTF8.self).contains("/c3/"))
                try await Self.expectUnchanged(lab, before)
                // What nobody stands on can go.
                for name in ["c3", "c2", "c1"] { try await lab.done("rm", "\(FaultLab.name)@\(name)") }
                for place in 1...3 { #expect(try lab.diskHas(place, atMebibyte: place, in: "c4")) }
                try await lab.done("down", FaultLab.name)
                try await lab.done("resume", "\(FaultLab.name)@c4")
                try await lab.expect(["alpha": "running", "beta": "running"], "from the short chain")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `the volume fills up meanwhile: the layers stay, and so does everything else`(_ qemu: FaultLab.QEMU)
            async throws
        {
            guard geteuid() == 0 else {
                print("skipped: a small volume for layers can only be mounted as root")
                return
            }
            try await FaultLab.with(qemu) { lab in
                let folder = "\(lab.home.path)/machines"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                chmod(lab.home.path, 0o700)
                guard mount("fermata-test", folder, "tmpfs", 0, "size=16m,mode=700") == 0 else {
                    print("skipped: no tmpfs can be mounted here: \(String(cString: strerror(errno)))")
                    return
                }
                defer { umount2(folder, Int32(MNT_DETACH)) }
                let before = try await Self.threeCheckpoints(lab)
                let layers = try lab.openDisk().files
                try lab.beginStream(speed: Self.slow)
                // The next daemon finds the work under way, and hears how it ends.
                try await lab.killDaemon()
                try await lab.done("ps")
                _ = try? CheckpointFiles.shell("dd if=/dev/zero of='\(folder)/filler' bs=64k 2>/dev/null")
                try lab.setStreamSpeed(0)
                try await FaultLab.wait(for: "QEMU to give up") { try lab.blockJobs().isEmpty }
                #expect(try lab.openDisk().files == layers)
                try await lab.expect(["alpha": "running", "beta": "running"], "on a full volume")
                unlink("\(folder)/filler")
                try await lab.done("checkpoint", "\(FaultLab.name)@c4")
                try await Self.expectUnchanged(lab, before)
                for place in 1...3 { #expect(try lab.diskHas(place, atMebibyte: place, in: "c4")) }
                try await Self.goBack(lab)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `suspended and resumed again and again: the layers stay few, and every checkpoint is what it was`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.upWithDisks(ram: "stream")
                let base = try CheckpointFiles.shell("sha256sum '\(lab.base)'")
                try lab.writeDisk(1, atMebibyte: 1)
                for number in 1...17 {
                    try await lab.done("suspend", "\(FaultLab.name)@s\(number)")
                    try await lab.done("resume", FaultLab.name)
                }
                let first = try CheckpointFiles(of: lab, "s1").contents()
                try await FaultLab.wait(for: "QEMU to leave layers out") { try lab.openDisk().files.count == 2 }
                try await lab.done("suspend", "\(FaultLab.name)@last")
                #expect(try lab.diskHas(1, atMebibyte: 1, in: "last"))
                let manifest = try CheckpointFiles(of: lab, "last").bytes("checkpoint.json")
                #expect(!String(decoding: manifest, as: UTF8.self).contains("/s17/"))
                #expect(try CheckpointFiles(of: lab, "s1").contents() == first)
                try await lab.done("resume", "\(FaultLab.name)@s1")
                #expect(try CheckpointFiles.shell("sha256sum '\(lab.base)'") == base)
            }
        }

        /// Each with a mebibyte more on the disk.
        /// - Returns: digests of all of them, and of the image that the disk began with.
        private static func threeCheckpoints(_ lab: FaultLab) async throws -> String {
            try await lab.upWithDisks(ram: "stream")
            for number in 1...3 {
                try lab.writeDisk(number, atMebibyte: number)
                try await lab.done("checkpoint", "\(FaultLab.name)@c\(number)")
            }
            try #require(try lab.openDisk().files.count == 5)
            return try contents(lab)
        }

        private static func contents(_ lab: FaultLab) throws -> String {
            let base = try CheckpointFiles.shell("sha256sum '\(lab.base)'")
            return try base + (1...3).map { try CheckpointFiles(of: lab, "c\($0)").contents() }.joined()
        }

        private static func expectUnchanged(_ lab: FaultLab, _ before: String) async throws {
            #expect(try contents(lab) == before)
            for number in 1...3 {
                try await lab.expectWhole("c\(number)", "after work on the layers above it")
                #expect(try lab.diskHas(number, atMebibyte: number, in: "c\(number)"))
                #expect(try lab.diskHas(0, atMebibyte: number + 1, in: "c\(number)"))
            }
        }

        private static func goBack(_ lab: FaultLab) async throws {
            try await lab.done("down", FaultLab.name)
            try await lab.done("resume", "\(FaultLab.name)@c2")
            try await lab.expect(["alpha": "running", "beta": "running"], "resumed from c2")
            #expect(try lab.diskHas(2, atMebibyte: 2, in: "c2"))
        }
    }
}
