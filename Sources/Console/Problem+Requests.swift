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

    static func `internal`(_ error: any Error) -> Problem {
        Problem(
            code: "internal",
            detail: "the daemon failed in a way that it does not know: \(error); its log has more",
            status: 500,
            exitCode: 1
        )
    }
}
