import FoundationEssentials
import Glibc
import Testing

extension FaultTests {
    /// The host's power fails at each step of a suspend: what of the state folder had reached the disk is there afterwards, whatever
    /// was in memory is not, and no process lives.
    @Suite struct PowerCutTests {
        /// A state folder on a disk of its own, whose contents can be had as they are after a loss of power.
        private struct Disk {
            let image: String
            let mountPoint: String

            /// - Returns: nil, with a word on why, where disks cannot be made.
            static func make(for lab: FaultLab) -> Disk? {
                let disk = Disk(image: "\(lab.home.folder)/disk.img", mountPoint: lab.home.path)
                do {
                    // No journal is committed but for a sync, and nothing is allocated ahead of one.
                    _ = try CheckpointFiles.shell(
                        "truncate -s 192M '\(disk.image)' && mkfs.ext4 -q '\(disk.image)' && mkdir -p -m 700 '\(lab.home.path)'"
                    )
                    try disk.mount(disk.image)
                    return disk
                } catch {
                    print("skipped: no disk can be made and mounted here: \(error)")
                    return nil
                }
            }

            func mount(_ image: String) throws {
                _ = try CheckpointFiles.shell(
                    "mount -o loop,commit=300 '\(image)' '\(mountPoint)' && chmod 700 '\(mountPoint)'"
                )
            }

            func unmount() { _ = try? CheckpointFiles.shell("umount -l '\(mountPoint)'") }

            func copy(_ step: String) -> String { "\(image).\(step)" }

            /// What the disk holds now: writes that nobody has synced are not in the image yet.
            /// - Throws: when the disk was being written meanwhile, again and again.
            func cut(_ step: String) throws {
                let copy = copy(step)
                for _ in 0..<50 {
                    let same = try CheckpointFiles.shell(
                        "cp --sparse=always '\(image)' '\(copy)' && { cmp -s '\(image)' '\(copy)' && echo same || true; }"
                    )
                    if same.contains("same") { return }
                }
                throw CLIError("the disk is never quiet")
            }
        }

        private static let phases = ["preparing", "armed", "happened", "deciding"]

        @Test(arguments: [FaultLab.Bed(), FaultLab.Bed(ram: "file")])
        func `after a loss of power the previous checkpoint is whole, and the new one whole or absent`(
            _ bed: FaultLab.Bed
        ) async throws {
            guard geteuid() == 0 else {
                print("skipped: a disk for a state folder can only be mounted as root")
                return
            }
            try await FaultLab.with(bed) { lab in
                guard let disk = Disk.make(for: lab) else { return }
                defer { disk.unmount() }
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@one", "--sealed")
                try await lab.done("resume", FaultLab.name)

                let answer = try await lab.follow("suspend", "\(FaultLab.name)@two", "--in", "3s") { command in
                    for phase in Self.phases {
                        try await command.phase(phase)
                        try Self.cut(disk, lab, phase)
                    }
                }
                try #require(answer.status == 0, "\(answer)")
                try Self.cut(disk, lab, "suspended")
                try await lab.expectWhole("two", "before any loss of power")
                try Self.cut(disk, lab, "sealed")
                try await lab.killDaemon()
                disk.unmount()

                for step in Self.phases + ["suspended", "sealed"] { try await Self.comesBack(lab, disk, step) }
            }
        }

        /// Nobody writes while the disk is copied.
        private static func cut(_ disk: Disk, _ lab: FaultLab, _ step: String) throws {
            let daemon = lab.home.daemon
            for machine in FaultLab.machines { lab.freeze(machine) }
            if let daemon { kill(daemon, SIGSTOP) }
            defer {
                if let daemon { kill(daemon, SIGCONT) }
                for machine in FaultLab.machines { lab.thaw(machine) }
            }
            try disk.cut(step)
        }

        private static func comesBack(
            _ lab: FaultLab,
            _ disk: Disk,
            _ step: String
        ) async throws {
            for machine in FaultLab.machines { try await lab.killQEMU(machine) }
            for name in FaultLab.contents(lab.home.ramFolder) {
                try FileManager.default.removeItem(atPath: "\(lab.home.ramFolder)/\(name)")
            }
            try disk.mount(disk.copy(step))
            defer { disk.unmount() }
            try await lab.done("ps")
            #expect(lab.checkpoints.allSatisfy { ["one", "two"].contains($0) }, "\(step): \(lab.checkpoints)")
            try await lab.expectWhole("one", "power lost when \(step)")
            if lab.checkpoints.contains("two") {
                try await lab.expectWhole("two", "power lost when \(step)")
            } else {
                #expect(step != "sealed", "what was sealed is gone")
                // A stream is on disk before anybody is told that it is saved.
                #expect(lab.bed.ram == "file" || step != "suspended", "what was suspended is gone")
            }
            // What died with the power is cleared away, as after any other death of a machine.
            try await lab.done("down", FaultLab.name)
            try await lab.done("resume", "\(FaultLab.name)@one")
            #expect(try await lab.runStates() == ["alpha": "running", "beta": "running"], "power lost when \(step)")
            try await lab.done("down", FaultLab.name)
            try await lab.killDaemon()
        }
    }
}
