import HTTPTypes

/// Header fields that the HTTP library has no names for.
extension HTTPField.Name {
    /// The first is part of the request's head, and not among its fields.
    static let secondHost = name("Host")
    static let fermataCSRF = name("X-Fermata-CSRF")
    static let secFetchSite = name("Sec-Fetch-Site")
    static let referrerPolicy = name("Referrer-Policy")
    static let crossOriginOpenerPolicy = name("Cross-Origin-Opener-Policy")

    static let idempotencyKey = name("Idempotency-Key")
    static let idempotencyReplayed = name("Idempotency-Replayed")
    static let lastEventID = name("Last-Event-ID")

    private static func name(_ text: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(text)") else { preconditionFailure("\(text) is no name of a header field") }
        return name
    }
}
