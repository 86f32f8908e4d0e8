import FoundationEssentials
import Glibc
import JSON
import Testing

extension FaultTests {
    /// A checkpoint is not as it was sealed: told by `verify`, refused by `resume`, and nothing is left of the attempt.
    @Suite struct CheckpointDamageTests {
        enum Damage: String, Sendable, CaseIterable {
            case truncated, emptied, missing, deviceStateFlipped
            case manifestGarbage, manifestTruncated, manifestMissing, manifestEdited
            case otherMachineType, otherArchitecture, pathOutside

            /// What the words have to name.
            var names: String {
                switch self {
                case .truncated, .emptied, .missing, .deviceStateFlipped: "state.qemu"
                case .manifestGarbage, .manifestTruncated, .manifestMissing, .manifestEdited: "flab@first"
                case .otherMachineType: "pc-i440fx-1.0"
                case .otherArchitecture: "aarch64"
                case .pathOutside: "../"
                }
            }
        }

        @Test func `each damage is told with exit code 6 and by name, and the mended checkpoint resumes`() async throws
        {
            try await FaultLab.with { lab in
                try await lab.up()
                try await lab.done("suspend", "\(FaultLab.name)@first")
                let folder = "\(lab.home.path)/checkpoints/\(FaultLab.name)/first"
                for damage in Damage.allCases {
                    let mend = try Self.inflict(damage, on: folder)
                    let resume = try await lab.fermata("resume", "\(FaultLab.name)@first")
                    let what = "\(damage): \(resume)"
                    #expect(resume.status == 6, "\(what)")
                    #expect(resume.run.output.contains(damage.names), "\(what)")
                    try await lab.expect([:], what)
                    let dry = try await lab.fermata("resume", "\(FaultLab.name)@first", "--dry-run")
                    #expect(dry.status == 6, "\(damage), tried out: \(dry)")
                    let verify = try await lab.fermata("verify", "\(FaultLab.name)@first")
                    // One for another QEMU is as it was sealed: only who wants to load it can tell.
                    #expect(verify.status == (damage == .otherArchitecture ? 0 : 6), "\(damage): \(verify)")
                    // A daemon that starts over it neither fails nor throws the rest away.
                    try await lab.killDaemon()
                    try await lab.done("ps")
                    try mend()
                    try await lab.expectWhole("first", "\(damage), mended")
                }
                try await lab.done("resume", "\(FaultLab.name)@first")
                try await lab.expect(["alpha": "running", "beta": "running"], "after all of it")
            }
        }

        /// - Returns: puts everything back.
        private static func inflict(_ damage: Damage, on folder: String) throws -> () throws -> Void {
            let files = ["checkpoint.json", "checkpoint.json.sha256", "machines/alpha/state.qemu"].map {
                "\(folder)/\($0)"
            }
            let originals = try files.map { try Data(contentsOf: URL(filePath: $0)) }
            let (manifest, state) = (files[0], files[2])
            func write(_ data: Data, _ path: String) throws { try data.write(to: URL(filePath: path)) }
            /// The digest beside it fits: somebody who edits a manifest knows how to.
            func edit(_ old: String, _ new: String) throws {
                let text = String(decoding: originals[0], as: UTF8.self)
                guard text.contains(old) else { throw CLIError("no '\(old)' in the manifest") }
                try write(Data(text.replacing(old, with: new).utf8), manifest)
                let seal = popen("cd '\(folder)' && sha256sum checkpoint.json > checkpoint.json.sha256", "r")
                guard let seal, pclose(seal) == 0 else { throw CLIError("sha256sum failed") }
            }
            switch damage {
            case .truncated: try write(originals[2].prefix(originals[2].count - 4096), state)
            case .emptied: try write(Data(), state)
            case .missing: unlink(state)
            case .deviceStateFlipped:
                var bytes = [UInt8](originals[2])
                bytes[bytes.count - 40_000] ^= 0x10
                try write(Data(bytes), state)
            case .manifestGarbage: try write(Data([0, 0xFF, 0x7B] + Array("\u{0}not JSON".utf8)), manifest)
            case .manifestTruncated: try write(originals[0].prefix(originals[0].count / 2), manifest)
            case .manifestMissing: unlink(manifest)
            case .manifestEdited:
                let text = String(decoding: originals[0], as: UTF8.self)
                try write(Data(text.replacing("33554432", with: "67108864").utf8), manifest)
            case .otherMachineType: try edit("pc-i440fx-7.2", "pc-i440fx-1.0")
            case .otherArchitecture:
                try edit("qemu-system-x86_64", "qemu-system-aarch64")
            case .pathOutside: try edit("machines/alpha/state.qemu", "../../../../etc/state.qemu")
            }
            return { for (file, original) in zip(files, originals) { try write(original, file) } }
        }
    }
}
