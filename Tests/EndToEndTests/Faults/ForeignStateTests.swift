import Glibc
import JSON
import Testing

extension FaultTests {
    /// The state of another machine in the place of a machine's own, sizes and digests to match: nothing is damaged, it is only
    /// not this machine's. Refused by name, never run.
    @Suite struct ForeignStateTests {
        struct Foreign: Sendable, CustomTestStringConvertible {
            var qemu: FaultLab.QEMU
            /// One of qemu-fixtures/streams.
            var recording: String
            var ram = "stream"
            /// What the launch record is made to say, as if the machine had always been that.
            var program: String?
            var machineType: String?
            /// What the words have to name.
            var names: [String]

            var testDescription: String {
                "\(recording) for \(program ?? "qemu-system-x86_64"), \(qemu.testDescription)"
            }
        }

        static var cases: [Foreign] {
            FaultLab.QEMU.present.flatMap { qemu in
                let version = qemu.rawValue
                return [
                    Foreign(
                        qemu: qemu,
                        recording: "q35-\(version)",
                        names: ["pc-q35-\(version)", "pc-i440fx-\(version)"]
                    ),
                    Foreign(qemu: qemu, recording: "s390x-\(version)", names: ["s390-ccw-virtio-\(version)"]),
                    Foreign(qemu: qemu, recording: "virt-\(version)", names: ["virt-\(version)"]),
                    Foreign(qemu: qemu, recording: "riscv-\(version)", names: ["virt", "pc-i440fx-\(version)"]),
                    // Machine types without a version do not tell architectures apart.
                    Foreign(
                        qemu: qemu,
                        recording: "riscv-\(version)",
                        program: "qemu-system-aarch64",
                        machineType: "virt",
                        names: ["virt", "aarch64", "RISC-V"]
                    ),
                    Foreign(
                        qemu: qemu,
                        recording: "riscv-\(version)",
                        program: "qemu-system-loongarch64",
                        machineType: "virt",
                        names: ["loongarch64", "RISC-V", "riscv64"]
                    ),
                    Foreign(
                        qemu: qemu,
                        recording: "riscv-\(version)",
                        program: "qemu-system-riscv32",
                        machineType: "virt",
                        names: ["riscv32", "RISC-V", "riscv64"]
                    ),
                    Foreign(qemu: qemu, recording: "pc-\(version)", names: ["8 MiB", "32 MiB"]),
                ]
            }
                + FaultLab.QEMU.present.filter { $0 == .unpacked }.flatMap { qemu in
                    [
                        Foreign(
                            qemu: qemu,
                            recording: "virt-mapped-10.0",
                            ram: "mapped",
                            names: ["virt-10.0", "pc-i440fx-10.0"]
                        ),
                        Foreign(qemu: qemu, recording: "pc-mapped-10.0", names: ["mapped-ram", "`stream`"]),
                        Foreign(
                            qemu: qemu,
                            recording: "pc-mapped-10.0",
                            ram: "mapped",
                            names: ["8 MiB", "32 MiB"]
                        ),
                    ]
                }
        }

        @Test(arguments: cases)
        func `another machine's state is refused with exit code 6 and by name`(_ foreign: Foreign) async throws {
            try await FaultLab.with(foreign.qemu) { lab in
                try await lab.upWithDisks(ram: foreign.ram)
                try await lab.done("suspend", "\(FaultLab.name)@first")
                let files = CheckpointFiles(of: lab, "first")
                try await Self.put(foreign, into: files, lab)
                // Whole in itself: where it is loaded, or by what, is not the checkpoint's affair.
                let verify = try await lab.fermata("verify", "\(FaultLab.name)@first")
                let isConsistent = foreign.machineType != nil || foreign.names == ["8 MiB", "32 MiB"]
                #expect(verify.status == (isConsistent ? 0 : 6), "\(verify)")
                let before = try files.contents()
                let resume = try await lab.fermata("resume", "\(FaultLab.name)@first")
                #expect(resume.status == 6, "\(resume)")
                #expect(resume.codes.contains("checkpoint-incompatible"), "\(resume)")
                #expect(resume.names("alpha"), "\(resume)")
                for name in foreign.names { #expect(resume.messages.contains(name), "\(name): \(resume)") }
                try await lab.expect([:], "\(resume)")
                #expect(try files.contents() == before, "the checkpoint was written")
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `what only QEMU can tell is told in its words, with exit code 6`(_ qemu: FaultLab.QEMU) async throws {
            try await FaultLab.with(qemu) { lab in
                try await lab.upWithDisks(ram: "stream")
                try await lab.done("suspend", "\(FaultLab.name)@first")
                let files = CheckpointFiles(of: lab, "first")
                try files.edit([("machines/0/launch/spec/memoryBytes", .integer(16 << 20))])
                let before = try files.contents()
                let resume = try await lab.fermata("resume", "\(FaultLab.name)@first")
                #expect(resume.status == 6, "\(resume)")
                #expect(resume.codes == ["checkpoint-incompatible"], "\(resume)")
                #expect(resume.names("alpha"), "\(resume)")
                for name in ["refuses the saved state", "pc.ram"] {
                    #expect(resume.messages.contains(name), "\(name): \(resume)")
                }
                try await lab.expect([:], "\(resume)")
                #expect(try files.contents() == before, "the checkpoint was written")
            }
        }

        private static func put(_ foreign: Foreign, into files: CheckpointFiles, _ lab: FaultLab) async throws {
            let state = "machines/alpha/state.qemu"
            let root = #filePath.split(separator: "/").dropLast(4).map { "/\($0)" }.joined()
            unlink(files.path(state))
            try await CLIRun.unpack(
                "\(root)/qemu-fixtures/streams/\(foreign.recording).stream.xz",
                to: files.path(state)
            )
            let map = try await lab.done("inspect", files.path(state)).result
            guard let bytes = map["bytes"], let offset = map["deviceStateOffset"]?.int64Value else {
                throw CLIError("no map of \(foreign.recording): \(map)")
            }
            var changes: [(path: String, value: JSONValue)] = [
                ("machines/0/state/bytes", bytes),
                ("machines/0/state/sha256", .string(try files.digest(state))),
                ("machines/0/deviceStateOffset", .integer(offset)),
                ("machines/0/deviceStateSHA256", .string(try files.digest(state, from: Int(offset)))),
            ]
            if let program = foreign.program {
                let folder = foreign.qemu.path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
                changes.append(("machines/0/launch/spec/qemu", .string("\(folder)/\(program)")))
            }
            if let machineType = foreign.machineType {
                changes.append(("machines/0/launch/pinnedMachineType", .string(machineType)))
                changes.append(("machines/0/launch/spec/machineType", .string(machineType)))
            }
            try files.edit(changes)
        }
    }
}
