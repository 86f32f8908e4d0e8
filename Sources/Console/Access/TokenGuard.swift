import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Stands before the API where programs elsewhere reach it: nothing is answered without a good token, not even that there is no such path.
struct TokenGuard<API: HTTPResponder>: HTTPResponder where API.Context == ConsoleContext {
    let tokens: TokenBook
    let logger: Logger
    let api: API

    func respond(to request: Request, context: ConsoleContext) async throws -> Response {
        var response: Response
        do throws(Problem) {
            let token = try token(of: request)
            var context = context
            context.caller = .token(token)
            response = try await answer(request, context, token)
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
            // Where the file is, and what is wrong with it, is in the log and not for strangers.
            response = Answer.problem(error.code == Problem.tokensClosed.code ? .tokensClosed : error)
            if error.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response.answering(request)
    }

    private func answer(
        _ request: Request,
        _ context: ConsoleContext,
        _ token: AccessToken
    ) async throws(Problem) -> Response {
        let tokens = tokens
        let watch = ConnectionWatch.start(on: context.channel) { tokens.isGood(token) }
        do {
            var response = try await api.respond(to: request, context: context)
            response.body = response.body.ending(watch)
            return response
        } catch {
            watch.cancel()
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
}
