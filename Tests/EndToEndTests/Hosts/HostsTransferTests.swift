import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// Checkpoints of two hosts leave as archives: real agents in processes of their own, real TLS, real QEMU.
    @Suite struct HostsTransferTests {
        static let target = "\(FaultLab.name)@s1"

        @Test(arguments: FaultLab.QEMU.present)
        func `a checkpoint of two hosts is one archive, and goes on from that elsewhere`(_ qemu: FaultLab.QEMU)
            async throws
        {
            try await HostsLab.with(qemu) { lab in
                let seed = try Self.seed(lab, regions: 3)
                try await lab.desk.done("up", try lab.manifest(disk: seed))
                try await lab.desk.done("suspend", Self.target)
                let archive = Self.archive(lab)
                try await lab.desk.done("export", Self.target, archive)
                try await Self.expectNothingLeft(lab)
                rename(seed, seed + ".away")
                try await CLIHome.with { home in
                    try await FaultLab.with(lab.desk.bed, in: home) { there in
                        let taken = try await there.done("import", archive)
                        #expect(taken.result["resumable"]?.boolValue == true, "\(taken)")
                        let notes = taken.result["notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
                        #expect(notes.contains { $0.contains("beta") && $0.contains(HostsLab.host) }, "\(taken)")
                        try await there.done("verify", Self.target)
                        try await there.done("resume", Self.target)
                        for (machine, host) in [("alpha", lab.desk), ("beta", lab.far)] {
                            let answer = try MonitorProbe(path: host.probe(machine)).ask("query-status")
                            #expect(answer["return"]?["status"]?.stringValue == "running", "\(machine)")
                        }
                        try await there.done("down", FaultLab.name)
                    }
                }
                // Where it was made it is what it was.
                rename(seed + ".away", seed)
                try await lab.desk.done("resume", FaultLab.name, "--copy")
                #expect(try await lab.states() == HostsLab.running)
            }
        }

        @Test func `an agent that is killed and started again goes on where it stopped`() async throws {
            try await Self.suspended { lab in
                let size = try await Self.export(lab) { came in
                    try await lab.killAgent()
                    try await Task.sleep(for: .seconds(1))
                    #expect(access(came, F_OK) == 0, "the export waits")
                    try await lab.startAgent()
                }
                #expect(size.status == 0, "\(size)")
                try await Self.expectNothingLeft(lab)
                try await CLIHome.with { home in
                    try await FaultLab.with(lab.desk.bed, in: home) { there in
                        try await there.done("import", Self.archive(lab))
                        try await there.done("verify", Self.target)
                    }
                }
            }
        }

        @Test func `an agent that stays away ends the export, and nothing is left`() async throws {
            try await Self.suspended { lab in
                let answer = try await Self.export(lab) { _ in try await lab.killAgent() }
                #expect(answer.status == 1 && Set(answer.codes) == ["host-unreachable"], "\(answer)")
                for word in ["host \(HostsLab.host)", "disk-seed.raw", "bytes did"] {
                    #expect(answer.messages.contains(word), "\(word): \(answer)")
                }
                #expect(
                    access(Self.archive(lab), F_OK) != 0 && FaultLab.contents("\(lab.desk.home.path)/exports") == []
                )
                try await lab.startAgent()
                try await Self.expectNothingLeft(lab)
                try await lab.desk.done("export", Self.target, Self.archive(lab))
            }
        }

        @Test func `a daemon that is killed meanwhile leaves nothing on either host once it is back`() async throws {
            try await Self.suspended { lab in
                let answer = try await Self.export(lab) { _ in try await lab.desk.killDaemon() }
                #expect(answer.status != 0, "\(answer)")
                try await lab.desk.done("ps")
                try await Self.expectNothingLeft(lab)
                try await lab.desk.done("verify", Self.target)
            }
        }

        @Test func `what is damaged or gone on the other host leaves as no archive`() async throws {
            try await HostsLab.with(.installed) { lab in
                try await lab.desk.done("up", try lab.manifest())
                try await lab.desk.done("suspend", Self.target, "--sealed")
                let files = CheckpointFiles(of: lab.far, "s1")
                for file in ["machines/beta/state.qemu", "machines/beta/ram"] {
                    try files.flip(file, at: -1)
                    let damaged = try await lab.desk.fermata("export", Self.target, Self.archive(lab))
                    #expect(damaged.status == 6 && damaged.messages.contains(file), "\(damaged)")
                    try files.flip(file, at: -1)
                }
                try FileManager.default.removeItem(atPath: files.path("machines/beta/state.qemu"))
                let gone = try await lab.desk.fermata("export", Self.target, Self.archive(lab))
                #expect(gone.status == 6 && gone.messages.contains("machines/beta/state.qemu"), "\(gone)")
                #expect(access(Self.archive(lab), F_OK) != 0)
                try await Self.expectNothingLeft(lab)
            }
        }

        @Test func `no room for what comes from the other host ends the export`() async throws {
            try await Self.suspended { lab in
                let exports = "\(lab.desk.home.path)/exports"
                mkdir(exports, 0o700)
                guard geteuid() == 0, mount("fermata-test", exports, "tmpfs", 0, "size=2m,mode=700") == 0 else {
                    print("skipped: a small volume can only be mounted as root")
                    return
                }
                defer { umount2(exports, Int32(MNT_DETACH)) }
                let answer = try await lab.desk.fermata("export", Self.target, Self.archive(lab))
                #expect(answer.status != 0 && Set(answer.codes) == ["no-space"], "\(answer)")
                #expect(answer.messages.contains("host \(HostsLab.host)"), "\(answer)")
                try await Self.expectNothingLeft(lab)
            }
        }

        // MARK: - Support

        /// Both machines saved, `beta` with an image that takes long to come: each region of it is a piece of its own.
        private static func suspended(_ body: @Sendable (HostsLab) async throws -> Void) async throws {
            try await HostsLab.with(.installed) { lab in
                try await lab.desk.done("up", try lab.manifest(disk: try seed(lab, regions: 3000)))
                try await lab.desk.done("suspend", target)
                try await body(lab)
            }
        }

        /// An image of the other host's.
        static func seed(_ lab: HostsLab, regions: Int) throws -> String {
            let path = "\(lab.far.home.folder)/seed.raw"
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0, ftruncate(file, off_t((regions + 1) << 17)) == 0 else {
                throw CLIError("no \(path): errno \(errno)")
            }
            defer { close(file) }
            for region in 0..<regions {
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: region | 1), count: 4096)
                guard pwrite(file, bytes, bytes.count, off_t(region << 17)) == bytes.count else {
                    throw CLIError("\(path) is not written: errno \(errno)")
                }
            }
            return path
        }

        static func archive(_ lab: HostsLab) -> String { "\(lab.desk.home.folder)/lab.tar.zst" }

        /// Lets `fault` happen when some of the image has come.
        private static func export(
            _ lab: HostsLab,
            _ fault: @Sendable (String) async throws -> Void
        ) async throws -> FaultLab.Answer {
            try await lab.desk.follow("export", target, archive(lab)) { _ in
                let exports = "\(lab.desk.home.path)/exports"
                var came: String?
                try await FaultLab.wait(for: "the image to come") {
                    came = FaultLab.contents(exports).map { "\(exports)/\($0)/machines/beta/disk-seed.raw" }
                        .first { access($0, F_OK) == 0 }
                    return came != nil
                }
                try await fault(came ?? "")
            }
        }

        /// Neither of an export nor of what never became whole.
        private static func expectNothingLeft(_ lab: HostsLab) async throws {
            try await FaultLab.wait(for: "nothing to be left") {
                [lab.desk, lab.far].allSatisfy { FaultLab.contents("\($0.home.path)/exports") == [] }
            }
            #expect(FaultLab.contents(lab.desk.home.folder).filter { $0.contains(".partial") } == [])
            for host in [lab.desk, lab.far] { #expect(host.checkpoints == ["s1"]) }
        }
    }
}
