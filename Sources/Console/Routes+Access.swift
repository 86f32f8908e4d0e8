import HTTPTypes
import HostClock
import Hummingbird
import Time

/// Who may come in, and as what.
extension Routes {
    var session: [Endpoint] {
        [
            .get("/v1/session") { call in try Answer.json(Self.session(of: call.caller)) },
            .delete("/v1/session") { call in
                guard case .browser(let session) = call.caller else { throw Problem.sessionless }
                entrance.leave(session)
                return Response(status: .noContent)
            },
            .get("/v1/tokens") { _ in try Answer.json(TokensAnswer(tokens: try tokens.all.map { TokenReport($0) })) },
            .post("/v1/tokens") { call in
                let body = try await call.body(TokenBody.self)
                if let life = body.lifeNs, life <= .zero {
                    throw Problem.badRequest(
                        "a token cannot be good for \(life): leave lifeNs away for one without an end"
                    )
                }
                let (text, token) = try await tokens.create(
                    try Call.name(body.name, of: "token"),
                    body.role,
                    life: body.lifeNs,
                    endingBy: call.caller.end
                )
                return try Answer.json(TokenCreated(token: text, kept: TokenReport(token)), status: .created)
            },
            .delete("/v1/tokens/{token}") { call in
                try await tokens.revoke(try call.token())
                return Response(status: .noContent)
            },
        ]
    }

    private static func session(of caller: Caller) -> SessionAnswer {
        let now = HostInstant.now
        let expires: HostInstant? =
            switch caller {
            case .owner: nil
            case .browser(let session):
                now + .seconds(ContinuousClock.now.duration(to: session.ends).components.seconds)
            case .token(let token): token.expires
            }
        return SessionAnswer(role: caller.role.rawValue, expires: expires, now: now)
    }
}
