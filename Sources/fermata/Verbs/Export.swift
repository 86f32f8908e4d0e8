import ArgumentParser
import Console
import ControlInstance
import Glibc
import HypervisorAPI
import NIOCore
import NIOHTTP1

struct Export: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a checkpoint as one archive, which 'fermata import' reads on this or another host.",
        discussion: """
            The archive has all that the machines need but QEMU itself: state, RAM, what is in the links, disks that stand \
            alone, kernels and firmware. It is a tar, compressed by zstd. What was not written to its end is no archive: \
            'import' notices, and a FILE that could not be completed is removed.
            """
    )

    @Argument(
        help: ArgumentHelp("The checkpoint.", valueName: "sim@name"),
        completion: NameCompletion.checkpoints.kind
    )
    var target: CheckpointName

    @Argument(
        help: ArgumentHelp("Where to write it; '-' or nothing is standard output.", valueName: "file"),
        completion: .file()
    )
    var file: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        try target.requireCheckpoint()
        guard file == nil || file == "-" else { return }
        if global.json {
            throw ValidationError("The archive and the result of --json cannot both be standard output: name a file.")
        }
        if isatty(STDOUT_FILENO) == 1 {
            throw ValidationError("An archive is nothing for a terminal: name a file, or send it through a pipe.")
        }
    }

    func perform(_ session: Session) async throws {
        let name = try target.requireCheckpoint()
        if let file, file != "-" {
            try ArchiveOutput.refuseFolder(file, instead: "\(target.simulation)-\(name).tar.zst")
        }
        let path = "/v1/simulations/\(target.simulation)/checkpoints/\(name)/archive"
        let client = try await session.client()
        let progress = TransferProgress(session.terminal, "exporting \(target)", of: nil)
        let newFile = file == "-" ? nil : file
        let output =
            try newFile.map { try ArchiveOutput(newFile: $0) }
            ?? ArchiveOutput(descriptor: STDOUT_FILENO, name: "standard output")
        let bytes: Int
        do {
            bytes = try await client.download(path) { bytes in
                try output.write(bytes)
                progress.add(bytes.readableBytes)
            }
            try output.complete()
            progress.clear()
        } catch {
            progress.clear()
            output.remove()
            if let failure = error as? CommandFailure, failure.problem.code == ControlClient.archiveCut {
                try await refuseDamaged(client, name)
            }
            throw error
        }
        guard let newFile else { return }
        let result = Result(simulation: target.simulation, checkpoint: name, file: newFile, bytes: UInt64(bytes))
        if session.global.json {
            try session.showJSON(result)
        } else {
            session.terminal.print("wrote \(newFile): \(target), \(TimeText.bytes(result.bytes))")
        }
    }

    /// An archive that has begun cannot be answered with an error: its end is missing, whatever the reason. What is damaged is said so.
    private func refuseDamaged(_ client: ControlClient, _ name: String) async throws {
        let path = "/v1/simulations/\(target.simulation)/checkpoints/\(name)/verify"
        guard let answer = try? await client.send(.POST, path), let report = try? Received<VerifyReport>(answer).value,
            report.exitCode == ExitStatus.corrupt.rawValue
        else { return }
        let what = report.reasons.map(\.description).joined(separator: "; ")
        throw CommandFailure(
            problem: Problem(
                code: "checkpoint-corrupt",
                detail: "\(target) is damaged, so there is no archive of it: \(what)",
                reasons: report.reasons,
                exitCode: report.exitCode
            )
        )
    }

    private struct Result: Encodable {
        let simulation: String
        let checkpoint: String
        let file: String
        /// Of the archive.
        let bytes: UInt64
    }
}
