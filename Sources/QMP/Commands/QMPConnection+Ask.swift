import JSON
import Time

extension QMPConnection {
    /// Runs a command whose reply is going to be read by parts.
    func ask(
        _ name: String,
        _ arguments: JSONValue = .null,
        timeout: Span?,
        descriptors: [Int32] = []
    ) async throws(QMPError) -> ReplyReader {
        let value = try await execute(
            QMPCommand(name, arguments: arguments),
            timeout: timeout,
            descriptors: descriptors
        )
        return ReplyReader(value, command: name, address: address)
    }
}
