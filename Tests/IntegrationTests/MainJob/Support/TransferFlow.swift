import Archive
import ControlInstance
import FoundationEssentials
import HypervisorAPI
import Testing
import Time

/// A pair that leaves its state folder through an archive.
enum TransferFlow {
    /// The lab with files of its own: what is removed later is not other tests'.
    static func own(_ spec: SimulationSpec, in folder: TemporaryFolder) throws -> SimulationSpec {
        var spec = spec
        func copy(_ path: String, _ name: String) throws -> String {
            try FileManager.default.copyItem(atPath: path, toPath: folder.file(name))
            return folder.file(name)
        }
        for index in spec.machines.indices {
            let name = spec.machines[index].name
            spec.machines[index].kernel = try spec.machines[index].kernel.map { try copy($0, "\(name)-kernel") }
            spec.machines[index].initrd = try spec.machines[index].initrd.map { try copy($0, "\(name)-initrd") }
            for disk in spec.machines[index].disks.indices {
                let file = spec.machines[index].disks[disk].file
                spec.machines[index].disks[disk].file = try copy(file, "\(name)-disk\(disk)")
            }
        }
        return spec
    }

    static func archive(_ simulation: String, _ checkpoint: String, of control: ControlInstance) async throws
        -> [[UInt8]]
    {
        var chunks: [[UInt8]] = []
        try await control.export(simulation, checkpoint).write { chunks.append($0) }
        return chunks
    }

    static func take(
        _ archive: [[UInt8]],
        _ control: ControlInstance,
        _ request: ImportRequest
    ) async throws -> ImportReport {
        let channel = ByteChannel()
        async let report = control.importCheckpoint(request, from: channel)
        for chunk in archive { guard await channel.send(chunk) else { break } }
        channel.finish()
        return try await report
    }
}

extension PairFlow {
    /// Suspended here, resumed there, with the same evidence of the guests as for a resume in place.
    mutating func moves(to there: Lab, named name: String) async throws {
        let before = try await samples("here")
        let suspended = try await lab.suspend(spec.name, as: "s1")
        try #require(suspended.outcome == .done, "\(suspended.reasons)")
        let archive = try await TransferFlow.archive(spec.name, "s1", of: lab.control)
        // Nothing that the guests ever had is here any more: images, kernels, state.
        for path in try FileManager.default.contentsOfDirectory(atPath: lab.folder.path) where path != "state.sqlite" {
            try FileManager.default.removeItem(atPath: lab.folder.file(path))
        }
        let report = try await TransferFlow.take(archive, there.control, ImportRequest(simulation: name))
        #expect(report.resumable, "\(report.reasons)")
        let verdict = try await there.control.verify(name, "s1")
        #expect(verdict.exitCode == 0, "\(verdict.reasons)")
        let digests = try await there.digests(of: "s1", name)

        let resumed = try await there.resume(name, "s1")
        try #require(resumed.outcome == .done, "\(resumed.reasons)")
        (lab, consoles) = (there, try await there.consoles(of: name))
        let after = try await samples("there")
        for (machine, before) in before {
            let jump = ClockJump(
                before: before,
                after: try #require(after[machine]),
                stoppedAt: try #require(suspended.machines.first { $0.name == machine }?.stoppedAt),
                resumedAt: try #require(resumed.machines.first { $0.name == machine }?.resumedAt)
            )
            jump.expect("moved, \(machine)", rtc: .zero)
        }
        try await expectSession("moved", since: before["client"])
        try await expectDisks("moved")
        #expect(try await there.digests(of: "s1", name) == digests)
    }
}
