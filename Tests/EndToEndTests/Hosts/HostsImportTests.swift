import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// An archive of two hosts comes to two others: real agents in processes of their own, real TLS, real QEMU.
    @Suite struct HostsImportTests {
        private static let target = "\(FaultLab.name)@s1"

        @Test(arguments: FaultLab.QEMU.present)
        func `an archive of two hosts comes to two others, and goes on there`(_ qemu: FaultLab.QEMU) async throws {
            try await Self.exported(qemu, regions: 3) { lab, archive in
                try await HostsLab.with(qemu) { there in
                    let taken = try await there.desk.done("import", archive)
                    #expect(taken.result["resumable"]?.boolValue == true && taken.messages == "", "\(taken)")
                    #expect(taken.result["hosts"]?["beta"]?.stringValue == HostsLab.host, "\(taken)")
                    #expect(there.machines(of: "s1", on: there.desk) == ["alpha"])
                    #expect(there.machines(of: "s1", on: there.far) == ["beta"])
                    try await there.desk.done("verify", Self.target)
                    try await there.desk.done("resume", Self.target)
                    for (machine, host) in [("alpha", lab.desk), ("beta", lab.far)] {
                        // Its arguments name a socket of the lab that it comes from.
                        let answer = try MonitorProbe(path: host.probe(machine)).ask("query-status")
                        #expect(answer["return"]?["status"]?.stringValue == "running", "\(machine)")
                    }
                    #expect(there.desk.qemus(of: "alpha").count == 1 && there.far.qemus(of: "beta").count == 1)
                    // It is as good as one that was made there.
                    try await there.desk.done("suspend", "\(FaultLab.name)@s2")
                    try await there.desk.done("export", "\(FaultLab.name)@s2", archive + ".2")
                    try await there.desk.done("resume", FaultLab.name)
                    try await there.desk.done("down", FaultLab.name)
                }
            }
        }

        @Test func `an agent that is killed and started again goes on where it stopped`() async throws {
            try await Self.arriving { there, archive in
                let answer = try await Self.importing(there, archive) { came in
                    try await there.killAgent()
                    try await Task.sleep(for: .seconds(1))
                    #expect(access(came, F_OK) == 0, "the import waits")
                    try await there.startAgent()
                }
                #expect(answer.status == 0, "\(answer)")
                #expect(there.desk.checkpoints == ["s1"] && there.far.checkpoints == ["s1"])
                try await there.desk.done("verify", Self.target)
            }
        }

        @Test func `an agent that stays away ends the import, and nothing is left`() async throws {
            try await Self.arriving { there, archive in
                let answer = try await Self.importing(there, archive) { _ in try await there.killAgent() }
                #expect(answer.status == 1 && Set(answer.codes) == ["host-unreachable"], "\(answer)")
                for word in ["to \(HostsLab.host)", "disk-seed.raw", "bytes did"] {
                    #expect(answer.messages.contains(word), "\(word): \(answer)")
                }
                #expect(there.desk.checkpoints == [])
                try await there.startAgent()
                try await Self.expectNothingLeft(there)
                try await there.desk.done("import", archive)
            }
        }

        @Test func `a daemon that is killed meanwhile leaves nothing on either host once it is back`() async throws {
            try await Self.arriving { there, archive in
                let answer = try await Self.importing(there, archive) { _ in try await there.desk.killDaemon() }
                #expect(answer.status != 0, "\(answer)")
                try await there.desk.done("ps")
                try await Self.expectNothingLeft(there)
                try await there.desk.done("import", archive)
                try await there.desk.done("verify", Self.target)
            }
        }

        @Test func `what is changed after it came is not believed`() async throws {
            try await Self.arriving { there, archive in
                let answer = try await Self.importing(there, archive) { came in
                    // What came before the disk does not come again.
                    let path = came.dropLast("disk-seed.raw".count) + "ram"
                    let file = open(String(path), O_RDWR | O_CLOEXEC)
                    try #require(file >= 0)
                    defer { close(file) }
                    var byte: UInt8 = 0x5a
                    #expect(pwrite(file, &byte, 1, 4096) == 1)
                }
                #expect(answer.status == 6 && Set(answer.codes) == ["checkpoint-corrupt"], "\(answer)")
                #expect(answer.messages.contains("machines/beta/ram"), "\(answer)")
                try await Self.expectNothingLeft(there)
            }
        }

        @Test func `no room on the other host ends the import`() async throws {
            try await Self.arriving { there, archive in
                let checkpoints = "\(there.far.home.path)/checkpoints"
                mkdir(checkpoints, 0o700)
                guard geteuid() == 0, mount("fermata-test", checkpoints, "tmpfs", 0, "size=2m,mode=700") == 0 else {
                    print("skipped: a small volume can only be mounted as root")
                    return
                }
                defer { umount2(checkpoints, Int32(MNT_DETACH)) }
                let answer = try await there.desk.fermata("import", archive)
                #expect(answer.status != 0 && Set(answer.codes) == ["no-space"], "\(answer)")
                #expect(answer.messages.contains("to \(HostsLab.host)"), "\(answer)")
                try await Self.expectNothingLeft(there)
            }
        }

        @Test func `a drained host takes none, and who is sent elsewhere goes there`() async throws {
            try await Self.exported(.installed, regions: 3) { _, archive in
                try await HostsLab.with(.installed) { there in
                    try await there.desk.done("host", "drain", HostsLab.host)
                    let drained = try await there.desk.fermata("import", archive)
                    #expect(drained.status == 3 && Set(drained.codes) == ["host-drained"], "\(drained)")
                    let strange = try await there.desk.fermata("import", archive, "--host", "gamma=\(HostsLab.host)")
                    #expect(strange.status == 3 && strange.codes.contains("host-drained"), "\(strange)")
                    try await there.desk.done("host", "drain", HostsLab.host, "--undo")
                    let unknown = try await there.desk.fermata("import", archive, "--host", "gamma=\(HostsLab.host)")
                    #expect(unknown.status == 3 && Set(unknown.codes) == ["machine-unknown"], "\(unknown)")
                    try await Self.expectNothingLeft(there)
                    try await there.desk.done("import", archive, "--host", "alpha=\(HostsLab.host)")
                    #expect(there.machines(of: "s1", on: there.desk) == [])
                    #expect(there.machines(of: "s1", on: there.far) == ["alpha", "beta"])
                    try await there.desk.done("verify", Self.target)
                }
            }
        }

        // MARK: - Support

        /// - Parameter body: with an archive of two hosts, neither of which has its image at its old place any more.
        private static func exported(
            _ qemu: FaultLab.QEMU,
            regions: Int,
            _ body: @Sendable (HostsLab, String) async throws -> Void
        ) async throws {
            try await HostsLab.with(qemu) { lab in
                let seed = try HostsTransferTests.seed(lab, regions: regions)
                try await lab.desk.done("up", try lab.manifest(disk: seed))
                try await lab.desk.done("suspend", target)
                let archive = HostsTransferTests.archive(lab)
                try await lab.desk.done("export", target, archive)
                rename(seed, seed + ".away")
                try await body(lab, archive)
            }
        }

        /// An archive whose image takes long to come: each region of it is a piece of its own.
        private static func arriving(_ body: @Sendable (HostsLab, String) async throws -> Void) async throws {
            try await exported(.installed, regions: 3000) { _, archive in
                try await HostsLab.with(.installed) { there in try await body(there, archive) }
            }
        }

        /// Lets `fault` happen when some of the image has come.
        private static func importing(
            _ there: HostsLab,
            _ archive: String,
            _ fault: @Sendable (String) async throws -> Void
        ) async throws -> FaultLab.Answer {
            try await there.desk.follow("import", archive) { _ in
                let came =
                    "\(there.far.home.path)/checkpoints/\(FaultLab.name)/s1.partial.arriving/machines/beta/disk-seed.raw"
                try await FaultLab.wait(for: "the image to come") { access(came, F_OK) == 0 }
                try await fault(came)
            }
        }

        private static func expectNothingLeft(_ there: HostsLab) async throws {
            try await FaultLab.wait(for: "nothing to be left") {
                [there.desk, there.far].allSatisfy {
                    FaultLab.contents("\($0.home.path)/checkpoints/\(FaultLab.name)") == []
                }
            }
        }
    }
}
