import Console
import FoundationEssentials
import NIOHTTP1

extension ControlClient {
    /// Between two attempts, longer each time.
    private static let pauses: [Duration] = [.milliseconds(200), .seconds(1), .seconds(3)]

    /// Asks for an operation, which is begun once: when the connection is lost before the answer is here, the request is sent again with the
    /// same key.
    /// - Returns: the answer's body.
    /// - Throws: as ``send(_:_:body:patience:)``.
    func begin(_ path: String, body: Data) async throws -> Data {
        let key = UUID().uuidString
        for pause in Self.pauses {
            do {
                return try await send(.POST, path, body: body, key: key)
            } catch let failure as CommandFailure where failure.problem.code == "daemon-unreachable" {
                try await Task.sleep(for: pause)
            }
        }
        return try await send(.POST, path, body: body, key: key)
    }
}
