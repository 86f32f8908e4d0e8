/// What a request itself can do wrong.
extension Problem {
    static func badRequest(_ detail: String) -> Problem {
        Problem(code: "bad-request", detail: detail, status: 400, exitCode: 2)
    }

    static func unknownPath(_ path: String) -> Problem {
        Problem(
            code: "unknown-path",
            detail: "there is nothing at \(path): docs/openapi.yaml lists the paths of this API",
            status: 404,
            exitCode: 2
        )
    }

    static func methodNotAllowed(_ method: String, _ path: String, allowed: [String]) -> Problem {
        Problem(
            code: "method-not-allowed",
            detail: "\(path) has no method \(method), only \(allowed.joined(separator: ", "))",
            status: 405,
            exitCode: 2
        )
    }

    static func bodyTooLarge(limit: Int) -> Problem {
        Problem(
            code: "body-too-large",
            detail: "the request's body is larger than \(limit) bytes, the most that this API takes",
            status: 413,
            exitCode: 2
        )
    }

    static func notJSON(_ type: String) -> Problem {
        Problem(
            code: "unsupported-media-type",
            detail: "the request's body is \(type), and this API takes application/json",
            status: 415,
            exitCode: 2
        )
    }

    static func invalidName(_ name: String, of what: String) -> Problem {
        Problem(
            code: "name-invalid",
            detail: "'\(name.prefix(80))' cannot be the name of a \(what): "
                + "up to 63 of a-z, 0-9, _ and -, the first a letter or digit",
            status: 400,
            exitCode: 2
        )
    }

    static var keyReused: Problem {
        Problem(
            code: "key-reused",
            detail: "this Idempotency-Key came with another request before: use a new one for each thing to do",
            status: 422,
            exitCode: 2
        )
    }

    static func keysNotWritten(_ file: String, _ why: String) -> Problem {
        Problem(
            code: "keys-not-written",
            detail: "nothing was begun: the request's key cannot be written to \(file) (\(why))",
            status: 500,
            exitCode: 1
        )
    }

    static func tooManyStreams(_ limit: Int) -> Problem {
        Problem(
            code: "too-many-streams",
            detail: "this token, or browser, has \(limit) streams of events open, as many as it may: end some of them",
            status: 429,
            exitCode: 3
        )
    }

    static var noSession: Problem {
        Problem(
            code: "no-session",
            detail:
                "this browser has no session here, or had one that is over: open the link that 'fermata console' prints",
            status: 401,
            exitCode: 3
        )
    }

    static var sessionless: Problem {
        Problem(
            code: "no-session",
            detail: "only a browser has a session that can be ended; a token ends with 'fermata token revoke'",
            status: 409,
            exitCode: 3
        )
    }

    static var linkRefused: Problem {
        Problem(
            code: "no-session",
            detail: "this link has been used, or is too old: 'fermata console' prints another",
            status: 401,
            exitCode: 3
        )
    }

    /// - Parameter why: a clause.
    static func crossSite(_ why: String) -> Problem {
        Problem(
            code: "cross-site",
            detail: "\(why): use the console's own page, or the command line",
            status: 403,
            exitCode: 3
        )
    }

    static func notForBrowsers(_ path: String) -> Problem {
        Problem(
            code: "not-for-browsers",
            detail: "\(path) is not there for browsers: use the command line on the host",
            status: 403,
            exitCode: 3
        )
    }

    static var consoleOff: Problem {
        Problem(
            code: "console-off",
            detail: "the web console is off: FERMATA_CONSOLE was 'off' when the daemon started; "
                + "end it with 'fermata serve --stop' and start it without",
            status: 409,
            exitCode: 3
        )
    }

    /// - Parameter why: a clause.
    static func consoleFailed(_ why: String) -> Problem {
        Problem(
            code: "console-failed",
            detail: "the web console cannot be opened: \(why)",
            status: 409,
            exitCode: 1
        )
    }

    static func `internal`(_ error: any Error) -> Problem {
        Problem(
            code: "internal",
            detail: "the daemon failed in a way that it does not know: \(error); its log has more",
            status: 500,
            exitCode: 1
        )
    }
}
