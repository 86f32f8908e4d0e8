import ControlInstance
import Crypto
import FoundationEssentials
import HostClock
import HTTPTypes
import Hummingbird
import HypervisorAPI

/// Operations that a request begins once, however often it is sent.
extension Routes {
    /// - Parameters:
    ///   - operation: where in what is asked for the id stands that it is to begin by; nil there: any.
    ///   - read: what is asked for, from the body. A key is used up by what can be begun, not by what is no request.
    ///   - begin: begins it.
    func once<Asked: Sendable>(
        _ call: Call,
        _ operation: WritableKeyPath<Asked, OperationID?>,
        read: (Call) async throws -> Asked,
        begin: (Asked) async throws -> OperationID
    ) async throws -> Response {
        try await once(call, operation, read: read, again: { try begun($0) }, first: { try begun(try await begin($0)) })
    }

    /// - Parameters:
    ///   - again: answers for what the id has begun already.
    ///   - first: begins it.
    func once<Asked: Sendable>(
        _ call: Call,
        _ id: WritableKeyPath<Asked, OperationID?>,
        read: (Call) async throws -> Asked,
        again: (OperationID) async throws -> Response,
        first: (Asked) async throws -> Response
    ) async throws -> Response {
        guard let text = try call.idempotencyKey() else { return try await first(try await read(call)) }
        let (call, request) = try await call.digested()
        var asked = try await read(call)
        let sender = call.caller.name
        let key = Self.digest([sender, text].joined(separator: "\n"))
        await keys.enter(key)
        defer { keys.leave(key) }
        let (operation, isKnown) = try await keys.claim(
            key,
            of: String(Self.digest(sender).prefix(16)),
            for: request,
            new: .new(at: .now)
        )
        // Of one that was refused, or that a daemon's end came before, nothing is there: then this is the first.
        guard isKnown, try await isRecorded(operation) else {
            asked[keyPath: id] = operation
            return try await first(asked)
        }
        var response = try await again(operation)
        response.headers[.idempotencyReplayed] = "true"
        return response
    }

    func isRecorded(_ operation: OperationID) async throws(ControlError) -> Bool {
        do throws(ControlError) {
            _ = try await control.operation(operation)
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    static func digest(_ text: String) -> String { digest(Array(text.utf8)) }

    static func digest(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Call {
    /// - Throws: a 400 for one that is none.
    fileprivate func idempotencyKey() throws(Problem) -> String? {
        guard let text = request.headers[.idempotencyKey] else { return nil }
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .badRequest("Idempotency-Key has to be 1 to 128 visible ASCII characters")
        }
        return text
    }

    /// With all of its body read, and the digest of all that it asks for.
    fileprivate func digested() async throws(Problem) -> (Call, String) {
        let bytes = try await read()
        let head = Array("\(request.method.rawValue) \(request.uri)\n".utf8)
        var request = request
        request.body = RequestBody(buffer: ByteBuffer(bytes: bytes))
        let call = Call(request: request, parameters: parameters, caller: caller, channel: channel)
        return (call, Routes.digest(head + bytes))
    }
}
