import FoundationEssentials
import Glibc
import JSON
import Testing

/// What goes wrong while an archive is written or read: nothing is left that could be taken for whole.
@Suite(.serialized) struct TransferFaultTests {
    @Test func `a damaged file ends the export, and its file is not there`() async throws {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            try await lab.up()
            try await lab.done("suspend", FaultLab.name)
            let files = CheckpointFiles(of: lab, "s1")
            try files.flip("machines/beta/state.qemu", at: -1)
            let answer = try await lab.fermata("export", TransferLab.target, transfer.archive)
            #expect(answer.status == 6 && answer.messages.contains("machines/beta/state.qemu"), "\(answer)")
            #expect(FaultLab.contents(lab.home.folder).filter { $0.hasPrefix("lab.tar") }.isEmpty)
            let statuses = try transfer.pipe("export \(TransferLab.target)", "import")
            #expect(statuses.first != 0 && statuses.second == 6, "\(statuses)")
            #expect(transfer.arrived.isEmpty, "\(transfer.arrived)")
            #expect(transfer.scratch.isEmpty)
        }
    }

    @Test func `an archive that was cut or changed is refused, and leaves nothing`() async throws {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            try await lab.up()
            try await lab.done("suspend", FaultLab.name)
            try await lab.done("export", TransferLab.target, transfer.archive)
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: transfer.archive)))
            var flipped = bytes
            flipped[bytes.count / 2] ^= 4
            for (what, damaged) in [
                ("cut", Array(bytes.dropLast())), ("half", Array(bytes.prefix(bytes.count / 2))), ("flipped", flipped),
                ("empty", []), ("text", Array("no archive".utf8)),
            ] {
                let path = "\(lab.home.folder)/\(what)"
                try Data(damaged).write(to: URL(filePath: path))
                let answer = try await transfer.fermata("import", path)
                #expect(answer.status == 6 && answer.codes.contains("archive-corrupt"), "\(what): \(answer)")
                #expect(transfer.arrived.isEmpty, "\(what): \(transfer.arrived)")
            }
            let whole = try await transfer.fermata("import", transfer.archive)
            #expect(whole.status == 0, "\(whole)")
            let again = try await transfer.fermata("import", transfer.archive)
            #expect(again.status == 3 && again.codes.contains("checkpoint-exists"), "\(again)")
        }
    }

    @Test func `a name that is taken is refused before the archive comes`() async throws {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            try await lab.up()
            try await lab.done("suspend", FaultLab.name)
            // Standard input stays open, and nothing ever comes.
            let said = try CheckpointFiles.shell(
                """
                mkfifo '\(lab.home.folder)/fifo'
                exec 9<>'\(lab.home.folder)/fifo'
                FERMATA_HOME='\(lab.home.path)' '\(CLIRun.program)' import --as \(TransferLab.target) <&9 9<&- || echo "ended with $?"
                """
            )
            #expect(said.contains("ended with 3") && said.contains("exists already"), "\(said)")
        }
    }

    @Test func `a daemon that dies while an archive is written leaves none`() async throws {
        try await TransferLab.with { transfer in
            try await transfer.suspendedWithBigDisk()
            let archive = try await export(transfer) { try await transfer.lab.killDaemon() }
            #expect(archive.status != "0", "\(archive)")
            let refused = try await transfer.fermata("import", archive.path)
            #expect(refused.status == 6, "\(refused)")
            #expect(transfer.arrived.isEmpty)
            try await transfer.lab.done("verify", TransferLab.target)
            #expect(transfer.scratch.isEmpty, "the next daemon cleared it away")
        }
    }

    @Test func `a file that vanishes while the archive is written ends it`() async throws {
        try await TransferLab.with { transfer in
            try await transfer.suspendedWithBigDisk()
            let state = CheckpointFiles(of: transfer.lab, "s1").path("machines/beta/state.qemu")
            let archive = try await export(transfer) { unlink(state) }
            #expect(archive.status != "0", "\(archive)")
            let refused = try await transfer.fermata("import", archive.path)
            #expect(refused.status == 6, "\(refused)")
            #expect(transfer.scratch.isEmpty)
        }
    }

    @Test func `who sends an archive and is killed, or whose daemon is, leaves nothing`() async throws {
        try await TransferLab.with { transfer in
            try await transfer.suspendedWithBigDisk()
            try await transfer.lab.done("export", TransferLab.target, transfer.archive)
            for killsDaemon in [false, true] {
                let partial = "\(transfer.there.path)/checkpoints/\(FaultLab.name)/s1.partial"
                // As much of it as to be under way, and then nothing more, but no end either.
                let command = """
                    mkfifo '\(transfer.there.folder)/fifo-\(killsDaemon)'
                    exec 9<>'\(transfer.there.folder)/fifo-\(killsDaemon)'
                    FERMATA_HOME='\(transfer.there.path)' '\(CLIRun.program)' import <&9 9<&- >/dev/null 2>&1 &
                    head -c 20000000 '\(transfer.archive)' >&9
                    for i in $(seq 2000); do [ -e '\(partial)/machines' ] && break; sleep 0.01; done
                    [ -e '\(partial)/machines' ] || { echo 'never came so far'; kill $!; exit 1; }
                    victim=\(killsDaemon ? "$(head -n 1 '\(transfer.there.path)/daemon.lock')" : "$!")
                    kill -9 "$victim"
                    wait $! || true
                    # A verb that comes while it dies may still find its socket.
                    for i in $(seq 2000); do kill -0 "$victim" 2>/dev/null || break; sleep 0.01; done
                    """
                _ = try CheckpointFiles.shell(command)
                // The next verb, and with it the next daemon if the old one is gone.
                let ps = try await transfer.fermata("ps")
                #expect(ps.status == 0, "\(ps)")
                try await FaultLab.wait(for: "what came to be gone") {
                    transfer.arrived.filter { $0.contains("s1") }.isEmpty
                }
            }
            let whole = try await transfer.fermata("import", transfer.archive)
            #expect(whole.status == 0, "\(whole)")
        }
    }

    @Test func `an archive is never written over a file`() async throws {
        try await TransferLab.with { transfer in
            let lab = transfer.lab
            let file = try lab.home.file("lab.tar.zst", "mine")
            let answer = try await lab.fermata("export", TransferLab.target, file)
            #expect(answer.status == 3 && answer.codes == ["file-exists"], "\(answer)")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
            let both = try await lab.fermata("export", TransferLab.target)
            #expect(both.status == 2 && both.messages.contains("name a file"), "\(both)")
            let missing = try await lab.fermata("import", "\(lab.home.folder)/nothing")
            #expect(missing.status == 2 && missing.codes == ["file-not-readable"], "\(missing)")
            let unknown = try await lab.fermata("export", TransferLab.target, "\(lab.home.folder)/new")
            #expect(unknown.status == 1 && unknown.codes.contains("checkpoint-not-found"), "\(unknown)")
            #expect(!FaultLab.contents(lab.home.folder).contains { $0.hasPrefix("new") })
        }
    }

    /// Writes an archive into a pipe, and lets `fault` happen when its beginning has come and the rest waits.
    /// - Returns: how `export` ended, and where what it wrote is.
    private func export(
        _ transfer: TransferLab,
        _ fault: () async throws -> Void
    ) async throws -> (status: String, path: String) {
        let folder = transfer.lab.home.folder
        let (fifo, archive, status) = ("\(folder)/fifo", "\(folder)/written", "\(folder)/status")
        _ = try CheckpointFiles.shell(
            """
            mkfifo '\(fifo)'
            { FERMATA_HOME='\(transfer.lab.home.path)' '\(CLIRun.program)' export \(TransferLab.target) >'\(fifo)' 2>/dev/null
              echo $? >'\(status)'; } >/dev/null 2>&1 </dev/null &
            true
            """
        )
        // Opening waits for the other end; the first bytes for the archive.
        let pipe = open(fifo, O_RDONLY | O_CLOEXEC)
        guard pipe >= 0 else { throw CLIError("no pipe: errno \(errno)") }
        defer { close(pipe) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        func take() -> Bool {
            let count = read(pipe, &buffer, buffer.count)
            if count > 0 { bytes += buffer.prefix(count) }
            return count > 0
        }
        #expect(take())
        try await fault()
        while take() {}
        try Data(bytes).write(to: URL(filePath: archive))
        try await FaultLab.wait(for: "export to end") { access(status, F_OK) == 0 }
        try await FaultLab.wait(for: "its status") { !FaultLab.text(of: status).isEmpty }
        return (FaultLab.text(of: status).filter { $0 != "\n" }, archive)
    }
}

extension FaultLab {
    fileprivate static func text(of path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
