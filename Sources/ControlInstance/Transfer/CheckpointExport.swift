import Archive
import FoundationEssentials

/// A checkpoint that is ready to be written as an archive, once. What was made for it is gone with the last reference.
public final class CheckpointExport: Sendable {
    public let simulation: String
    public let checkpoint: String
    private let contents: ArchiveContents
    private let scratch: ExportScratch

    init(_ contents: ArchiveContents, simulation: String, checkpoint: String, scratch: ExportScratch) {
        self.simulation = simulation
        self.checkpoint = checkpoint
        self.contents = contents
        self.scratch = scratch
    }

    /// Gives all bytes of the archive to `take`, at its pace.
    /// - Throws: what `take` throws, or ``ControlError``: what was written until then is no archive.
    public func write(to take: ([UInt8]) async throws -> Void) async throws {
        let channel = ByteChannel()
        let contents = contents
        async let writing: Void = ArchiveThread.run { () throws(ArchiveError) in
            defer { channel.finish() }
            try contents.write(to: channel)
        }
        do {
            while let chunk = await channel.receive() { try await take(chunk) }
        } catch {
            channel.cancel()
            _ = try? await writing
            throw error
        }
        do {
            try await writing
        } catch {
            throw ControlError(error, of: "\(simulation)@\(checkpoint)")
        }
    }
}

/// The folder for what has to be made for one export.
final class ExportScratch: Sendable {
    let path: String
    private let end: @Sendable () -> Void

    /// - Parameter end: called when nobody needs the checkpoint any more.
    init(path: String, end: @escaping @Sendable () -> Void = {}) {
        self.path = path
        self.end = end
    }

    func create() throws(ControlError) { try DurableFolder.create(path) }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        end()
    }
}
