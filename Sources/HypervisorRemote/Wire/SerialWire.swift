import FoundationEssentials
import HypervisorAPI

struct SerialQuestion: Codable, Sendable {
    var port: SerialPlace
    /// nil: of what is there the last.
    var offset: UInt64?
}

struct SerialAnswer: Codable, Sendable {
    var end: UInt64
    var base64: String
    var runs: Bool

    init(_ chunk: SerialChunk) {
        end = chunk.end
        base64 = Data(chunk.bytes).base64EncodedString()
        runs = chunk.runs
    }

    /// nil: it is none.
    var chunk: SerialChunk? {
        guard let bytes = Data(base64Encoded: base64) else { return nil }
        let chunk = SerialChunk(end: end, bytes: Array(bytes), runs: runs)
        return chunk.isSound ? chunk : nil
    }
}

struct SerialWriting: Codable, Sendable {
    var port: SerialPlace
    var base64: String

    init(_ bytes: [UInt8], to port: SerialPlace) {
        self.port = port
        base64 = Data(bytes).base64EncodedString()
    }

    /// nil: they are none, or too many at once.
    var bytes: [UInt8]? {
        guard let bytes = Data(base64Encoded: base64), bytes.count <= SerialPlace.mostTyped else { return nil }
        return Array(bytes)
    }
}
