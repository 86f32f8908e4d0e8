import ControlInstance
import FoundationEssentials
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "RAM in a file is handed over, kept, copied, taken and looked at, and guests notice none of it",
        arguments: LabManifest.releases
    )
    func ramInFile(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            let name = pair.spec.name
            #expect(try await pair.isSuspended(as: "s1") == [.file])
            try expectSmallState("s1", lab, pair.spec)
            let first = try await lab.digests(of: "s1", name)

            // What is in memory still is taken, since the checkpoint has it, too.
            #expect(try await pair.goesOn(from: "s1", .keep, "warm") == [false])
            #expect(try await pair.isSuspended(as: "s2") == [.file])
            // Taken once already, and the disk shares no blocks: a view, whose pages have to be written, into a file again.
            _ = try await lab.control.seal(name, "s2")
            #expect(try await pair.goesOn(from: "s1", .keep, "view") == [true])
            // The kernel cannot protect pages of a view of what is on disk: written while the machines stand still, and as right.
            try await pair.savedWhileRunning(as: "c1", release)
            #expect(try await pair.isSuspended(as: "s3") == [.file])
            for checkpoint in ["c1", "s3"] { try expectSmallState(checkpoint, lab, pair.spec) }
            #expect(try await pair.goesOn(from: "s1", .copy, "copy") == [false])
            #expect(try await pair.isSuspended(as: "s4") == [.file])
            // Not sealed yet, or only just: the same for whoever looks.
            #expect(try await pair.goesOn(from: "s4", .ephemeral, "ephemeral") == [true])
            try await pair.savedWhileRunning(as: "c2", release)
            #expect(try await pair.isSuspended(as: "s5") == [.file])
            // What was written is in memory, too, and the next suspend copies nothing.
            #expect(try await pair.goesOn(from: "s5", .keep, "written") == [false])
            #expect(try await pair.isSuspended(as: "s6") == [.file])

            for checkpoint in ["c1", "c2"] { try await pair.goesBack(to: checkpoint) }
            #expect(try await lab.digests(of: "s1", name) == first)
            for checkpoint in ["s1", "s2", "s3", "s4", "s5", "s6", "c1", "c2"] {
                let verdict = try await lab.control.verify(name, checkpoint)
                #expect(verdict.exitCode == 0, "\(checkpoint): \(verdict.reasons)")
            }
        }
    }

    @Test(
        "A checkpoint that is consumed is gone, and comes back when its machines never ran",
        arguments: LabManifest.releases
    )
    func consumed(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            let name = pair.spec.name
            #expect(try await pair.isSuspended(as: "s1") == [.file])

            // Loaded and armed, and called off: nothing ran, and all is back.
            let operation = try await lab.control.resume(
                ResumeRequest(simulation: name, when: .in(.seconds(60)), ram: .consume)
            )
            for await event in try await lab.control.follow(operation) {
                if case .phase(_, .armed, _) = event { try lab.control.cancel(operation) }
            }
            let cancelled = try await lab.control.result(of: operation)
            #expect(cancelled.outcome == .cancelled, "\(cancelled.reasons)")
            let digests = try await lab.digests(of: "s1", name)
            #expect(try await lab.control.verify(name, "s1").exitCode == 0)

            #expect(try await pair.goesOn(from: "s1", .consume, "consumed") == [false])
            #expect(try await pair.isSuspended(as: "s2") == [.file])
            let again = await #expect(throws: ControlError.self) { try await lab.resume(name, "s1") }
            #expect(again?.reasons.map(\.code) == ["checkpoint-consumed"] && again?.exitCode == 3)
            // Of one that is not sealed, too.
            #expect(try await pair.goesOn(from: "s2", .consume, "consumed-unsealed") == [false])
            #expect(try await pair.isSuspended(as: "s3") == [.file])
            #expect(try await lab.control.verify(name, "s3").exitCode == 0)
            #expect(try await lab.digests(of: "s3", name) != digests)
        }
    }

    /// RAM is not in it, whatever its size.
    private func expectSmallState(_ checkpoint: String, _ lab: Lab, _ spec: SimulationSpec) throws {
        for machine in spec.machines {
            let path = lab.folder.file("checkpoints/\(spec.name)/\(checkpoint)/machines/\(machine.name)/state.qemu")
            let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            #expect(size < 32 << 20 && UInt64(size) < (machine.memoryBytes ?? 0) / 2, "\(path): \(size)")
        }
    }
}
