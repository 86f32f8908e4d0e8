import HypervisorAPI
import MigrationStream

/// A machine's state file in a checkpoint, opened for reading and mapped.
struct StoredState: Sendable {
    let path: String
    let file: OwnedDescriptor
    let source: FileSource
    let stream: CheckpointStream
    /// What the whole file was sealed with; nil for one that is being made.
    let sha256: String?

    init(path: String, sha256: String? = nil) throws(HypervisorError) {
        self.path = path
        self.sha256 = sha256
        file = try StateFile.open(path)
        do throws(StreamError) {
            source = try FileSource(descriptor: file.number)
            stream = try CheckpointStream(reading: source)
        } catch {
            throw HypervisorError(code: "checkpoint-corrupt", message: "\(path): \(error)")
        }
    }

    /// - Parameter digest: of the bytes that were read.
    /// - Throws: when they are not those that the checkpoint was sealed with.
    func refuseUnless(_ digest: String) throws(HypervisorError) {
        guard let sha256, digest != sha256 else { return }
        throw HypervisorError(
            code: "checkpoint-corrupt",
            message: "\(path) has the digest \(digest); the checkpoint was sealed with \(sha256)"
        )
    }

    /// From the first device section to the end.
    func tail() throws(HypervisorError) -> [UInt8] {
        try bytes(at: stream.deviceStateOffset, count: Int(clamping: stream.size - stream.deviceStateOffset))
    }

    func bytes(at offset: UInt64, count: Int) throws(HypervisorError) -> [UInt8] {
        do throws(StreamError) {
            return try source.read(at: offset, count: count)
        } catch {
            throw HypervisorError(code: "checkpoint-corrupt", message: "\(path): \(error)")
        }
    }
}
