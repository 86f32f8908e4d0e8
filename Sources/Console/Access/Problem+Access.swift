import Time

/// Why somebody may not do what he asks for.
extension Problem {
    static var tokenMissing: Problem {
        Problem(
            code: "token-missing",
            detail:
                "the request has no token: send one that 'fermata token create' printed, as 'Authorization: Bearer …' "
                + "(the command line takes it from FERMATA_TOKEN)",
            status: 401,
            exitCode: 3
        )
    }

    static var tokenUnknown: Problem {
        Problem(
            code: "token-unknown",
            detail: "the token is none of this control instance, or has been revoked: "
                + "'fermata token create' on its host makes another",
            status: 401,
            exitCode: 3
        )
    }

    static func tokenExpired(_ token: AccessToken) -> Problem {
        Problem(
            code: "token-expired",
            detail: "the token \(token.name) was good until \(token.expires.map { "\($0)" } ?? "earlier"): "
                + "'fermata token create' on the control instance's host makes another",
            status: 401,
            exitCode: 3
        )
    }

    static func roleInsufficient(_ role: AccessRole, needed: AccessRole) -> Problem {
        Problem(
            code: "role-insufficient",
            detail: "that needs the role \(needed.rawValue), and the token has \(role.rawValue)",
            status: 403,
            exitCode: 3
        )
    }

    /// - Parameter end: of the token that asks.
    static func tokenOutlives(_ end: HostInstant) -> Problem {
        Problem(
            code: "token-outlives",
            detail: "the token that asks is good until \(end), and one that it makes is not good for longer: "
                + "say an end before that ('--expires')",
            status: 403,
            exitCode: 3
        )
    }

    static func localOnly(_ path: String) -> Problem {
        Problem(
            code: "local-only",
            detail: "\(path) is there on the control instance's UNIX socket alone: use the command line on its host",
            status: 403,
            exitCode: 3
        )
    }

    static func tokenExists(_ name: String) -> Problem {
        Problem(
            code: "token-exists",
            detail:
                "there is a token \(name) already: revoke it ('fermata token revoke \(name)'), or take another name",
            status: 409,
            exitCode: 3
        )
    }

    static func tokenNotFound(_ name: String) -> Problem {
        Problem(
            code: "token-not-found",
            detail: "there is no token \(name): 'fermata token ls' lists them",
            status: 404,
            exitCode: 3
        )
    }

    static func tooManyTokens(_ limit: Int) -> Problem {
        Problem(
            code: "token-limit",
            detail: "there are \(limit) tokens, and more than that nobody oversees: revoke some ('fermata token ls')",
            status: 409,
            exitCode: 3
        )
    }

    /// - Parameter why: a clause.
    static func tokensUnusable(_ file: String, _ why: String) -> Problem {
        Problem(
            code: "tokens-unusable",
            detail:
                "the tokens in \(file) cannot be used (\(why)): none is good until that is put right and the daemon "
                + "is started anew, or the file is removed and other tokens are made",
            status: 503,
            exitCode: 1
        )
    }

    /// The same for who has shown no good token.
    static var tokensClosed: Problem {
        Problem(
            code: "tokens-unusable",
            detail: "no token is good now: the log of the control instance's daemon says why",
            status: 503,
            exitCode: 1
        )
    }

    static func tokensNotWritten(_ file: String, _ why: String) -> Problem {
        Problem(
            code: "tokens-not-written",
            detail: "the tokens in \(file) stay as they are: it cannot be written (\(why))",
            status: 500,
            exitCode: 1
        )
    }
}
