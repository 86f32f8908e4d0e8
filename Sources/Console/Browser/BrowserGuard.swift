import HTTPTypes
import Hummingbird

/// Stands before the API where browsers reach it. A browser does what any page tells it to, so: only by this host's own names (a name
/// that some page's owner points here is another), only with a session, and what changes something only from a page of ours.
struct BrowserGuard<API: HTTPResponder>: HTTPResponder where API.Context == ConsoleContext {
    let entrance: BrowserEntrance
    let assets: BrowserAssets
    let api: API

    func respond(to request: Request, context: ConsoleContext) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context)
        } catch let problem as Problem {
            response = Answer.problem(problem)
        }
        for field in Self.headers { response.headers[field.name] = field.value }
        // What the API tells is of this moment and of this user.
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response.answering(request)
    }

    private func answer(_ request: Request, _ context: ConsoleContext) async throws -> Response {
        let origin = try ownOrigin(request)
        if let file = assets.response(to: request) { return file }
        if request.uri.path == "/enter" { return try enter(request) }
        // Everything else is the API's, whatever its path looks like.
        guard let session = session(of: request) else { throw Problem.noSession }
        try check(request, from: origin, session)
        var context = context
        context.caller = .browser(session)
        var response = try await api.respond(to: request, context: context)
        if response.body.contentLength == nil {
            let entrance = entrance
            let watch = ConnectionWatch.start(on: context.channel) { entrance.isOpen(session) }
            response.body = response.body.ending(watch)
        }
        return response
    }

    /// What a page of ours has as its origin.
    private func ownOrigin(_ request: Request) throws(Problem) -> String {
        let authority = request.head.authority ?? ""
        // A second one may be what somebody else goes by.
        let others = request.headers[values: .secondHost]
        guard let port = entrance.port, ["127.0.0.1:\(port)", "localhost:\(port)"].contains(authority), others.isEmpty
        else { throw .crossSite("the request is not for this host by a name of its own ('\(authority.prefix(80))')") }
        return "http://\(authority)"
    }

    private func check(_ request: Request, from origin: String, _ session: BrowserSession) throws(Problem) {
        if let site = request.headers[.secFetchSite], site != "same-origin", site != "none" {
            throw .crossSite("the request comes from another page (Sec-Fetch-Site is '\(site.prefix(20))')")
        }
        if let sender = request.headers[.origin], sender != origin {
            throw .crossSite("the request comes from a page of '\(sender.prefix(80))'")
        }
        guard request.method != .get, request.method != .head else { return }
        guard let given = request.headers[.fermataCSRF], session.csrf.isSame(as: given) else {
            throw .crossSite("the request does not prove that it comes from the console's own page (X-Fermata-CSRF)")
        }
    }

    private func session(of request: Request) -> BrowserSession? {
        guard let port = entrance.port, let cookie = request.cookies["fermata-session-\(port)"] else { return nil }
        return entrance.session(of: cookie.value)
    }

    /// A link that was used before brings back who came in by it, and nobody else.
    private func enter(_ request: Request) throws(Problem) -> Response {
        guard request.method == .get else {
            throw .methodNotAllowed(request.method.rawValue, request.uri.path, allowed: ["GET"])
        }
        let token = request.uri.queryParameters["token"] ?? ""
        if let session = entrance.enter(by: token), let port = entrance.port {
            var response = Response(status: .seeOther, headers: [.location: "/"])
            // Their names have the port, since cookies are of a host with all its ports.
            for cookie in [
                "fermata-session-\(port)=\(session.token.text); Path=/; SameSite=Strict; HttpOnly",
                "fermata-csrf-\(port)=\(session.csrf.text); Path=/; SameSite=Strict",
            ] { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
            return response
        }
        if session(of: request) != nil { return Response(status: .seeOther, headers: [.location: "/"]) }
        guard request.headers[.accept]?.contains("text/html") ?? false else { throw .linkRefused }
        return Response(
            status: .unauthorized,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: Self.refusal))
        )
    }

    private static var refusal: String {
        """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>fermata</title>
        <h1>This link has been used, or is too old</h1>
        <p>Each link lets one browser in, once, within five minutes. <code>fermata console</code> prints another.</p></html>

        """
    }

    /// Nothing but what this program brings along is loaded, and no other page has this one inside it or a handle on it.
    private static var headers: HTTPFields {
        [
            .contentSecurityPolicy:
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
            .crossOriginOpenerPolicy: "same-origin",
            .crossOriginResourcePolicy: "same-origin",
        ]
    }
}
