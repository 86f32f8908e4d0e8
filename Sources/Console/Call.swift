import ControlInstance
import HypervisorAPI
import HTTPTypes
import Hummingbird
import NIOCore

/// A request with what every handler asks of it.
struct Call: Sendable {
    /// Manifests of big labs stay far below.
    static let bodyLimit = 4 << 20

    let request: Request
    let parameters: Parameters
    let caller: Caller
    let channel: any Channel

    func simulation() throws -> String { try name("simulation") }

    func machine() throws -> String { try name("machine") }

    func checkpoint() throws -> String { try name("checkpoint") }

    func operation() throws -> String { try name("operation") }

    func host() throws -> String { try name("host") }

    func token() throws -> String { try name("token") }

    /// A parameter of the query, the only one that the path knows.
    ///
    /// - Throws: a 400 for any other parameter.
    func parameter(_ name: String) throws -> String? { try parameters(name)[0].first }

    /// The values of each parameter that the path knows, in order.
    ///
    /// - Throws: a 400 for any other parameter.
    func parameters(_ names: String...) throws -> [[String]] {
        let query = request.uri.queryParameters
        if let other = query.first(where: { pair in !names.contains { $0 == pair.key } }) {
            let known = names.map { "'\($0)'" }.joined(separator: ", ")
            throw Problem.badRequest("\(request.uri.path) has no parameter '\(other.key)', only \(known)")
        }
        return names.map { name in query.filter { $0.key == name }.map { String($0.value) } }
    }

    /// - Throws: a 400 for any parameter: what asks for less than the whole must not be given the whole.
    func refuseParameters() throws {
        guard let other = request.uri.queryParameters.first else { return }
        throw Problem.badRequest("\(request.uri.path) has no parameter '\(other.key)'")
    }

    /// - Throws: a 403 for who may use the route, but not in this way.
    func require(_ role: AccessRole) throws(Problem) {
        guard caller.role >= role else { throw .roleInsufficient(caller.role, needed: role) }
    }

    func isDryRun() throws -> Bool { try flag("dryRun", default: false) }

    func flag(_ name: String, default value: Bool) throws -> Bool {
        switch try parameter(name) {
        case nil: return value
        case "true": return true
        case "false": return false
        case let other?: throw Problem.badRequest("'\(other)' is not true or false (parameter \(name))")
        }
    }

    func body<Body: StrictBody>(_: Body.Type) async throws -> Body {
        var bytes = try await read()
        if bytes.isEmpty {
            bytes = Array("{}".utf8)
        } else if let type = request.headers[.contentType], !Self.isJSON(type) {
            throw Problem.notJSON(type)
        }
        return try StrictJSON.decode(Body.self, from: bytes)
    }

    /// - Throws: a 413 for one that is too large.
    func read() async throws(Problem) -> [UInt8] {
        // Said in the head: refused before a byte of it is read.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit {
            throw Problem.bodyTooLarge(limit: Self.bodyLimit)
        }
        var bytes: [UInt8] = []
        do {
            for try await chunk in request.body {
                guard bytes.count + chunk.readableBytes <= Self.bodyLimit else {
                    throw Problem.bodyTooLarge(limit: Self.bodyLimit)
                }
                bytes += chunk.readableBytesView
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            // Cut off, or chunks that are none.
            throw .badRequest("the request's body cannot be read: \(error)")
        }
        return bytes
    }

    private static func isJSON(_ type: String) -> Bool {
        let kind = type.prefix { $0 != ";" }.lowercased()
        return kind.split(separator: " ").first == "application/json"
    }

    private func name(_ parameter: String) throws -> String {
        guard let text = parameters.get(parameter) else { throw Problem.badRequest("the path lacks the \(parameter)") }
        return try Self.name(text, of: parameter)
    }

    static func name(_ text: String, of what: String) throws(Problem) -> String {
        guard Name.isValid(text) else { throw .invalidName(text, of: what) }
        return text
    }
}
