import FoundationEssentials
import Glibc
import JSON
import Testing

/// A checkpoint goes from one state folder to another as an archive, by the program as people use it.
@Suite(.serialized) struct TransferTests {
    @Test(arguments: FaultLab.Bed.all)
    func `through a pipe to another folder, where it goes on when the first one is gone`(_ bed: FaultLab.Bed)
        async throws
    {
        try await TransferLab.with(bed) { transfer in
            let lab = transfer.lab
            try await lab.up()
            let suspended = try await lab.done("suspend", FaultLab.name).result
            let statuses = try transfer.pipe("export \(TransferLab.target)", "import")
            #expect(statuses == (0, 0))
            #expect(transfer.scratch.isEmpty)
            try await lab.done("down", FaultLab.name)
            try await lab.done("rm", TransferLab.target)
            try FileManager.default.removeItem(atPath: "\(lab.home.path)/checkpoints")

            let verified = try await transfer.fermata("verify", TransferLab.target)
            #expect(verified.status == 0, "\(verified)")
            let other = FaultLab(home: transfer.there, bed: bed)
            let resumed = try await other.done("resume", TransferLab.target).result
            for (before, after) in zip(machines(of: suspended), machines(of: resumed)) {
                #expect(after["name"] == before["name"])
                #expect(after["clockBefore"]?["virtualNs"] == before["clock"]?["virtualNs"])
                #expect(after["clockAfter"]?["rtcNs"] == before["clock"]?["rtcNs"])
            }
            #expect(machines(of: resumed).count == 2)
            // By the monitors that their arguments name, wherever they are.
            for machine in FaultLab.machines {
                let answer = try MonitorProbe(path: lab.probe(machine)).ask("query-status")
                #expect(answer["return"]?["status"]?.stringValue == "running")
            }
            try await other.done("down", FaultLab.name)
        }
    }

    @Test func `a file, its disks standing alone, under another name`() async throws {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            try await lab.upWithDisks(ram: "stream")
            try await lab.done("suspend", FaultLab.name)
            let written = try await lab.done("export", TransferLab.target, transfer.archive).result
            #expect(written["bytes"]?.int64Value.map { $0 > 100_000 } == true, "\(written)")
            let names = try CheckpointFiles.shell("tar --zstd -tf '\(transfer.archive)'").split(separator: "\n")
            #expect(names.first == "archive.json" && names.last == "archive-index.json")
            let report = try await transfer.fermata("import", transfer.archive, "--as", "copy@first")
            #expect(report.status == 0, "\(report)")
            #expect(report.result["resumable"]?.boolValue == true)
            #expect(report.result["importedFrom"]?["name"]?.stringValue == "s1")
            let notes = report.result["notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(notes.contains { $0.contains("resource ledger") }, "commands of an archive are told: \(notes)")

            for file in [lab.base, lab.seed] { try FileManager.default.removeItem(atPath: file) }
            let folder = "\(transfer.there.path)/checkpoints/copy/first/machines/alpha"
            let info = try CheckpointFiles.shell("/usr/bin/qemu-img info '\(folder)/disk-disk0.qcow2'")
            #expect(!info.contains("backing"), "\(info)")
            #expect(FileManager.default.fileExists(atPath: "\(folder)/disk-seed.raw"))
            let resumed = try await transfer.fermata("resume", "copy@first")
            #expect(resumed.status == 0, "\(resumed)")
            let again = try await transfer.fermata("suspend", "copy")
            #expect(again.status == 0, "\(again)")
            let removed = try await transfer.fermata("rm", "copy@first")
            #expect(removed.status == 3 && removed.codes.contains("checkpoint-in-use"), "\(removed)")
        }
    }

    @Test func `a QEMU that is not there is told at the import, refused at the resume, and can be named`() async throws
    {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            let qemu = "\(lab.home.folder)/qemu-system-elsewhere"
            try FileManager.default.createSymbolicLink(atPath: qemu, withDestinationPath: lab.bed.qemu.path)
            let manifest = try lab.home.file(
                "lab.yaml",
                "simulation: \(FaultLab.name)\nmachines:\n  alpha: {qemu: \(qemu), machine: pc, memory: 32M}\n"
            )
            try await lab.done("up", manifest)
            try await lab.done("suspend", FaultLab.name)
            try await lab.done("export", TransferLab.target, transfer.archive)
            unlink(qemu)
            let lacking = try await transfer.fermata("import", transfer.archive)
            #expect(lacking.status == 0 && lacking.result["resumable"]?.boolValue == false, "\(lacking)")
            #expect(lacking.codes == ["qemu-missing"] && lacking.names("alpha") && lacking.messages.contains("--qemu"))
            let refused = try await transfer.fermata("resume", TransferLab.target)
            #expect(refused.status == 3 && refused.codes.contains("qemu-missing"), "\(refused)")
            let named = try await transfer.fermata(
                "import",
                transfer.archive,
                "--as",
                "\(FaultLab.name)@s2",
                "--qemu",
                lab.bed.qemu.path
            )
            #expect(named.status == 0 && named.result["resumable"]?.boolValue == true, "\(named)")
            let resumed = try await transfer.fermata("resume", "\(FaultLab.name)@s2")
            #expect(resumed.status == 0, "\(resumed)")
        }
    }

    @Test func `kernels and firmware come along, and stay where the same are`() async throws {
        let kernel = "\(FaultLab.cache)/linux/vmlinuz"
        guard access(kernel, R_OK) == 0 else {
            print("skipped: there is no \(kernel) (tools/setup.sh makes it)")
            return
        }
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            let copy = "\(lab.home.folder)/my,kernel"
            try FileManager.default.copyItem(atPath: kernel, toPath: copy)
            let manifest = try lab.home.file(
                "lab.yaml",
                "simulation: \(FaultLab.name)\nmachines:\n  alpha: {qemu: \(lab.bed.qemu.path), machine: pc, "
                    + "memory: 64M, kernel: \"\(copy)\"}\n"
            )
            try await lab.done("up", manifest)
            try await lab.done("suspend", FaultLab.name)
            try await lab.done("export", TransferLab.target, transfer.archive)
            let same = try await transfer.fermata("import", transfer.archive)
            #expect(same.status == 0, "\(same)")
            #expect(!transfer.arrived.contains { $0.contains("launch") }, "\(transfer.arrived)")
            unlink(copy)
            let moved = try await transfer.fermata("import", transfer.archive, "--as", "\(FaultLab.name)@s2")
            #expect(moved.status == 0 && moved.result["resumable"]?.boolValue == true, "\(moved)")
            let file = "\(FaultLab.name)/s2/machines/alpha/launch/0-mykernel"
            #expect(transfer.arrived.contains(file), "\(transfer.arrived)")
            let resumed = try await transfer.fermata("resume", "\(FaultLab.name)@s2")
            #expect(resumed.status == 0, "\(resumed)")
            let suspended = try await transfer.fermata("suspend", FaultLab.name)
            #expect(suspended.status == 0, "\(suspended)")
            // The new checkpoint's QEMU is started with the kernel that the imported one brought.
            let removed = try await transfer.fermata("rm", "\(FaultLab.name)@s2")
            #expect(removed.status == 3 && removed.codes.contains("checkpoint-in-use"), "\(removed)")
            let path = "\(transfer.there.path)/checkpoints/\(file)"
            try Data("no kernel".utf8).write(to: URL(filePath: path))
            let damaged = try await transfer.fermata("verify", "\(FaultLab.name)@s2")
            #expect(damaged.status == 6, "\(damaged)")
            _ = try await transfer.fermata("down", FaultLab.name)
            let refused = try await transfer.fermata("resume", "\(FaultLab.name)@s2")
            #expect(refused.status == 6 && refused.messages.contains("launch/0-mykernel"), "\(refused)")
        }
    }

    private func machines(of report: JSONValue) -> [JSONValue] {
        (report["machines"]?.arrayValue ?? []).sorted {
            ($0["name"]?.stringValue ?? "") < ($1["name"]?.stringValue ?? "")
        }
    }
}
