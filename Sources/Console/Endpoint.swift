import HTTPTypes
import Hummingbird

/// One method of one path, as docs/openapi.yaml writes it.
struct Endpoint: Sendable {
    typealias Handler = @Sendable (Call) async throws -> Response

    let method: HTTPRequest.Method
    /// With parameters in braces: `/v1/simulations/{simulation}`.
    let path: String
    let handler: Handler

    static func get(_ path: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .get, path: path, handler: handler)
    }

    static func post(_ path: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .post, path: path, handler: handler)
    }

    static func patch(_ path: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .patch, path: path, handler: handler)
    }

    static func delete(_ path: String, _ handler: @escaping Handler) -> Endpoint {
        Endpoint(method: .delete, path: path, handler: handler)
    }

    /// Whether a request's path is this one, with any values for its parameters.
    func matches(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        let own = self.path.split(separator: "/")
        return parts.count == own.count && zip(own, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    /// The same path as the router writes it: `/v1/simulations/:simulation`.
    var routerPath: RouterPath {
        RouterPath(
            path.split(separator: "/").map { $0.hasPrefix("{") ? ":\($0.dropFirst().dropLast())" : String($0) }
                .joined(separator: "/")
        )
    }
}
