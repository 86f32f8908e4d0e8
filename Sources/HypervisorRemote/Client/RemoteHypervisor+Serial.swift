public import HypervisorAPI
import Time

extension RemoteHypervisor {
    /// Beyond what the host itself waits.
    private static let serialPatience = Span.seconds(10)

    public func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        let question = SerialQuestion(port: port, offset: offset)
        let patience = SerialChunk.patience + Self.serialPatience
        let answer = try await listening.call(.readSerial, question, patience: patience)
        guard let chunk = answer.chunk else {
            throw HypervisorError(
                code: "message-invalid",
                machine: port.machine,
                message: "what host \(host) sent is nothing that can have come out of a serial port"
            )
        }
        return chunk
    }

    public func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) {
        _ = try await connection.call(.writeSerial, SerialWriting(bytes, to: port), patience: Self.shortPatience)
    }
}
