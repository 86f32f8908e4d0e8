import FoundationEssentials
import HypervisorAPI
import Synchronization

@testable import ControlInstance

extension ScriptedHypervisor {
    func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        let checkpoint = order.checkpoint
        // What it saves has no true digests otherwise.
        var machines = checkpoint.machines
        for index in machines.indices {
            let path = "\(checkpoint.folder)/\(machines[index].state.path)"
            let bytes = (try? Data(contentsOf: URL(filePath: path))).map { Array($0) } ?? []
            if world.withLock({ $0.digestsArchives }) { machines[index].state.sha256 = HexDigest.sha256(bytes) }
        }
        let files = machines.flatMap(\.files)
        return StandaloneCheckpoint(
            machines: machines,
            sources: Dictionary(files.map { ($0.path, FilePlace(folder: checkpoint.folder, path: $0.path)) }) {
                first,
                _ in first
            }
        )
    }

    func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival {
        let failure = world.withLock { world -> HypervisorError? in
            world.calls.append("fit \(order.checkpoint.folder.split(separator: "/").last ?? "")")
            return world.fits.isEmpty ? nil : world.fits.removeFirst()
        }
        if let failure { throw failure }
        if let partial = ArrivalName.partial(of: order.checkpoint.folder) {
            // That of the control instance, which has its own part there.
            for file in order.checkpoint.files {
                let target = URL(filePath: "\(partial)/\(file.path)")
                try? FileManager.default.createDirectory(
                    at: target.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try? FileManager.default.moveItem(
                    at: URL(filePath: "\(order.checkpoint.folder)/\(file.path)"),
                    to: target
                )
            }
            try? FileManager.default.removeItem(atPath: order.checkpoint.folder)
        }
        let machines = order.checkpoint.machines.map { machine in
            var machine = machine
            machine.host = host
            return machine
        }
        return Arrival(
            simulation: order.simulation,
            machines: machines,
            obstacles: world.withLock { $0.obstacles },
            notes: []
        )
    }

    /// Two bytes at a time.
    func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece {
        let failure = world.withLock { world -> HypervisorError? in
            world.calls.append("read \(file.path) \(offset)")
            return world.reads.isEmpty ? nil : world.reads.removeFirst()
        }
        if let failure { throw failure }
        return try Self.piece(of: file, from: offset)
    }

    static func piece(of file: FilePlace, from offset: UInt64, count: Int = 2) throws(HypervisorError) -> FilePiece {
        guard let data = try? Data(contentsOf: URL(filePath: file.absolute)) else {
            throw HypervisorError(code: "checkpoint-corrupt", message: "\(file.absolute) is missing")
        }
        let bytes = Array(data.dropFirst(Int(offset)).prefix(count))
        let size = UInt64(data.count)
        return FilePiece(offset: bytes.isEmpty ? size : offset, bytes: bytes, size: size)
    }

    func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) {
        let failure = world.withLock { world -> HypervisorError? in
            world.calls.append("write \(file.path) \(piece.offset)")
            return world.writes.isEmpty ? nil : world.writes.removeFirst()
        }
        if let failure { throw failure }
        try Self.put(piece, to: file)
    }

    static func put(_ piece: FilePiece, to file: FilePlace) throws(HypervisorError) {
        let url = URL(filePath: file.absolute)
        var bytes = (try? Data(contentsOf: url)).map { Array($0) } ?? [UInt8](repeating: 0, count: Int(piece.size))
        bytes.replaceSubrange(Int(piece.offset)..<Int(piece.end), with: piece.bytes)
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: url)
        } catch {
            throw HypervisorError(code: "file-failed", message: "\(error)")
        }
    }
}
