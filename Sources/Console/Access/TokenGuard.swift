import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Stands before the API where programs elsewhere reach it: nothing is answered without a good token, not even that there is no such path.
struct TokenGuard<API: HTTPResponder>: HTTPResponder where API.Context == ConsoleContext {
    /// How soon what is still being answered ends with a token that is revoked or has expired.
    private static var watch: TimeAmount { .seconds(1) }

    let tokens: TokenBook
    let logger: Logger
    let api: API

    func respond(to request: Request, context: ConsoleContext) async throws -> Response {
        var response: Response
        do throws(Problem) {
            let token = try token(of: request)
            var context = context
            context.caller = .token(token)
            let watching = end(context.channel, with: token)
            response = try await answer(request, context)
            let body = response.body
            if body.contentLength == nil {
                response.body = ResponseBody { writer in
                    defer { watching.cancel() }
                    try await body.write(writer)
                }
            } else {
                watching.cancel()
            }
        } catch {
            // Of the request only what has no secrets in it.
            logger.warning(
                "refused a request",
                metadata: [
                    "reason": "\(error.code)", "method": "\(request.method.rawValue.prefix(20))",
                    "path": "\(request.uri.path.prefix(200))",
                    "peer": "\(context.channel.remoteAddress?.description ?? "unknown")",
                ]
            )
            response = Answer.problem(error)
            if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }

    private func answer(_ request: Request, _ context: ConsoleContext) async throws(Problem) -> Response {
        do {
            return try await api.respond(to: request, context: context)
        } catch {
            // The router answers its errors itself.
            throw .internal(error)
        }
    }

    private func token(of request: Request) throws(Problem) -> AccessToken {
        guard let field = request.headers[.authorization] else { throw .tokenMissing }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw .tokenMissing }
        let text = parts[1].drop { $0 == " " }
        guard text.utf8.count <= 200 else { throw .tokenUnknown }
        return try tokens.token(of: String(text))
    }

    /// Requests and answers may take hours: archives, events, leases.
    private func end(_ channel: any Channel, with token: AccessToken) -> RepeatedTask {
        let tokens = tokens
        let watching = channel.eventLoop.scheduleRepeatedTask(initialDelay: Self.watch, delay: Self.watch) { _ in
            if !tokens.isGood(token) { channel.close(promise: nil) }
        }
        channel.closeFuture.whenComplete { _ in watching.cancel() }
        return watching
    }
}
