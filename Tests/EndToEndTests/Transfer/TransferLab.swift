import FoundationEssentials
import Glibc
import JSON

/// A checkpoint of a ``FaultLab``, an archive of it, and a second state folder that it can come to.
struct TransferLab: Sendable {
    let lab: FaultLab
    /// Another host's, as far as fermata can tell.
    let there: CLIHome

    static let target = "\(FaultLab.name)@s1"
    static let tooBig = 48 << 20

    static func with<Value: Sendable>(
        _ bed: FaultLab.Bed = FaultLab.Bed(),
        _ body: @Sendable (TransferLab) async throws -> Value
    ) async throws -> Value {
        try await FaultLab.with(bed) { lab in
            try await CLIHome.with { there in
                let transfer = TransferLab(lab: lab, there: there)
                do {
                    let value = try await body(transfer)
                    await transfer.clear()
                    return value
                } catch {
                    await transfer.clear()
                    throw error
                }
            }
        }
    }

    /// As ``FaultLab/fermata(_:whileRunning:)``, in the other state folder.
    func fermata(_ arguments: String...) async throws -> FaultLab.Answer {
        FaultLab.Answer(run: try await CLIRun.fermata(arguments + ["--json"], in: there))
    }

    var archive: String { "\(lab.home.folder)/lab.tar.zst" }

    /// Both programs at once, one's output the other's input, by a shell.
    /// - Returns: the exit status of each.
    func pipe(_ first: String, _ second: String) throws -> (first: Int?, second: Int?) {
        let said = try CheckpointFiles.shell(
            """
            status='\(lab.home.folder)/status'
            { FERMATA_HOME='\(lab.home.path)' '\(CLIRun.program)' \(first) 2>'\(lab.home.folder)/first.err'; echo $? >"$status"; } \
            | { FERMATA_HOME='\(there.path)' '\(CLIRun.program)' \(second) >'\(there.folder)/second.out' 2>&1; echo $?; }
            cat "$status"
            """
        )
        let numbers = said.split(separator: "\n").map { Int($0) }
        guard numbers.count == 2 else { throw CLIError("the pipe said \(said)") }
        return (numbers[1], numbers[0])
    }

    /// Everything below the other's `checkpoints`.
    var arrived: [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: "\(there.path)/checkpoints")) ?? []).sorted()
    }

    /// What exports have in the first one.
    var scratch: [String] { FaultLab.contents("\(lab.home.path)/exports") }

    /// A disk of noise, which no compression makes small: an archive of it does not fit into anybody's buffers.
    func addBigDisk() throws {
        _ = try CheckpointFiles.shell("head -c \(Self.tooBig) /dev/urandom >'\(lab.home.folder)/noise.raw'")
        _ = try lab.home.file(
            "lab.yaml",
            """
            simulation: \(FaultLab.name)
            machines:
              alpha:
                qemu: \(lab.bed.qemu.path)
                machine: pc
                memory: 32M
                disks: [{file: noise.raw, format: raw, readonly: true}]
              beta: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M}

            """
        )
    }

    func suspendedWithBigDisk() async throws {
        try addBigDisk()
        try await lab.done("up", "\(lab.home.folder)/lab.yaml")
        try await lab.done("suspend", FaultLab.name)
    }

    private func clear() async {
        let other = FaultLab(home: there, bed: lab.bed)
        try? await other.killDaemon()
        for process in other.qemus() { kill(process, SIGKILL) }
    }
}
