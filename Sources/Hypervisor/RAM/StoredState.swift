import HypervisorAPI
import MigrationStream

/// A machine's state file in a checkpoint, opened for reading and mapped.
struct StoredState: Sendable {
    let path: String
    let file: OwnedDescriptor
    let source: FileSource
    let stream: CheckpointStream

    init(path: String) throws(HypervisorError) {
        self.path = path
        file = try StateFile.open(path)
        do throws(StreamError) {
            source = try FileSource(descriptor: file.number)
            stream = try CheckpointStream(reading: source)
        } catch {
            throw HypervisorError(code: "checkpoint-corrupt", message: "\(path): \(error)")
        }
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
