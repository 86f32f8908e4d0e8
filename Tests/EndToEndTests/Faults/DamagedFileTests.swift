import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// One file that a resume needs is not the one that was saved. Found before any machine goes on, also where QEMU would not
    /// notice.
    @Suite struct DamagedFileTests {
        enum Damage: String, Sendable, CaseIterable {
            /// Of a page: nobody but a digest notices.
            case ramFlipped
            /// Of the names of memory: QEMU itself refuses that.
            case ramHeadFlipped
            /// Behind the last device: in the description that QEMU does not read.
            case endFlipped
            case layerFlipped, layerTruncated, layerMissing
            case linkFlipped, linkTruncated, linkMissing
            case imageInPlaceChanged, imageInPlaceGrown, imageInPlaceMissing
            case baseMissing

            var file: String {
                switch self {
                case .ramFlipped, .ramHeadFlipped, .endFlipped: "machines/alpha/state.qemu"
                case .layerFlipped, .layerTruncated, .layerMissing: "machines/alpha/disk-disk0.qcow2"
                case .linkFlipped, .linkTruncated, .linkMissing: "links/lan-beta.bin"
                case .imageInPlaceChanged, .imageInPlaceGrown, .imageInPlaceMissing: "seed.raw"
                case .baseMissing: "base.qcow2"
                }
            }
        }

        @Test(arguments: FaultLab.Way.present)
        func
            `damage to any file is told with exit code 6 and by name, no machine is left, and the mended checkpoint resumes`(
                _ way: FaultLab.Way
            ) async throws
        {
            try await FaultLab.with(way.qemu) { lab in
                try await lab.upWithDisks(ram: way.ram)
                try await lab.done("suspend", "\(FaultLab.name)@first")
                let files = CheckpointFiles(of: lab, "first")
                try Self.putFrame(into: files)
                try await lab.expectWhole("first", "as it was saved")
                for damage in Damage.allCases {
                    let path = Self.path(damage, files, lab)
                    let original = try files.bytes(path)
                    try Self.inflict(damage, on: path, files)
                    let damaged = try files.contents()
                    let resume = try await lab.fermata("resume", "\(FaultLab.name)@first")
                    let what = "\(damage): \(resume)"
                    #expect(resume.status == 6, "\(what)")
                    #expect(resume.codes.allSatisfy { $0 == "checkpoint-corrupt" }, "\(what)")
                    #expect(resume.messages.contains(damage.file), "\(what)")
                    try await lab.expect([:], what)
                    #expect(try files.contents() == damaged, "\(what): the checkpoint was written")
                    let verify = try await lab.fermata("verify", "\(FaultLab.name)@first")
                    // What lies below a layer is not the checkpoint's.
                    #expect(verify.status == (damage == .baseMissing ? 0 : 6), "\(damage): \(verify)")
                    try files.write(original, to: path)
                    try await lab.expectWhole("first", "\(damage), mended")
                }
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }

        @Test func `everything that is wrong with a checkpoint is told at once`() async throws {
            try await FaultLab.with { lab in
                try await lab.upWithDisks(ram: "stream")
                try await lab.done("suspend", "\(FaultLab.name)@first")
                let files = CheckpointFiles(of: lab, "first")
                try Self.putFrame(into: files)
                try Self.inflict(.layerMissing, on: files.path("machines/alpha/disk-disk0.qcow2"), files)
                try Self.inflict(.linkFlipped, on: files.path("links/lan-beta.bin"), files)
                unlink(lab.seed)
                try files.truncate("machines/alpha/state.qemu", by: 1)
                try files.flip("machines/beta/state.qemu", at: -40_000)
                let resume = try await lab.fermata("resume", "\(FaultLab.name)@first", "--at", "2020-01-01T00:00:00Z")
                #expect(resume.status == 6, "\(resume)")
                for name in [
                    "alpha/disk-disk0.qcow2", "lan-beta.bin", "seed.raw", "alpha/state.qemu", "beta/state.qemu",
                ] {
                    #expect(resume.messages.contains(name), "\(name): \(resume)")
                }
                #expect(resume.codes.contains("instant-past"), "\(resume)")
                #expect(resume.names("alpha") && resume.names("beta"))
                try await lab.expect([:], "\(resume)")
            }
        }

        @Test func `damaged RAM is not sealed anew by an edit of the clocks`() async throws {
            try await FaultLab.with { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                try CheckpointFiles(of: lab, "first").flip("machines/alpha/state.qemu", at: 100_000)
                let edit = try await lab.fermata(
                    "clock",
                    "\(FaultLab.name)@first",
                    "--clock",
                    "+1h",
                    "--as",
                    "second"
                )
                #expect(edit.status == 6, "\(edit)")
                #expect(edit.messages.contains("alpha/state.qemu"), "\(edit)")
                #expect(lab.checkpoints == ["first"])
                lab.expectSettled("\(edit)")
            }
        }

        private static func path(_ damage: Damage, _ files: CheckpointFiles, _ lab: FaultLab) -> String {
            switch damage {
            case .imageInPlaceChanged, .imageInPlaceGrown, .imageInPlaceMissing: lab.seed
            case .baseMissing: lab.base
            default: files.path(damage.file)
            }
        }

        private static func inflict(_ damage: Damage, on path: String, _ files: CheckpointFiles) throws {
            switch damage {
            case .ramFlipped: try files.flip(path, at: files.bytes(path).count / 3)
            case .ramHeadFlipped:
                // The first letter of `pc.ram`, the block's name as its length precedes it.
                let bytes = try files.bytes(path)
                let name = Array("\u{6}pc.ram".utf8)
                guard let start = bytes.indices.prefix(4096).first(where: { bytes[$0...].starts(with: name) }) else {
                    throw CLIError("\(path) has no memory of that name")
                }
                try files.flip(path, at: start + 1)
            case .endFlipped: try files.flip(path, at: -200)
            case .layerFlipped, .linkFlipped, .imageInPlaceChanged: try files.flip(path, at: -10)
            case .layerTruncated, .linkTruncated: try files.truncate(path, by: 1)
            case .imageInPlaceGrown: try files.write(files.bytes(path) + [0], to: path)
            case .layerMissing, .linkMissing, .imageInPlaceMissing, .baseMissing: unlink(path)
            }
        }

        /// A frame on its way to `beta`: these guests send none by themselves.
        private static func putFrame(into files: CheckpointFiles) throws {
            let frame = [UInt8](repeating: 0xFF, count: 12) + [8, 0] + [UInt8](repeating: 0x5A, count: 50)
            try files.write(frame, to: "links/lan-beta.bin")
            try files.edit([
                (
                    "links",
                    [
                        [
                            "link": "lan", "towards": "beta", "frameSizes": [.integer(Int64(frame.count))],
                            "file": [
                                "role": "link", "path": "links/lan-beta.bin", "bytes": .integer(Int64(frame.count)),
                                "sha256": .string(try files.digest("links/lan-beta.bin")),
                            ],
                        ]
                    ]
                )
            ])
        }
    }
}
