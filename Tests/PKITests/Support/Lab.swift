import Time

@testable import PKI

/// An authority in a folder of a test's own, at a time of the test's own.
struct Lab {
    static let now = HostInstant(nanosecondsSinceEpoch: 1_780_000_000_123_456_789)
    static let day = Span.seconds(86_400)

    let folder: Folder
    let authority: Authority

    var now: HostInstant { Self.now }

    init(validity: Span = Authority.defaultValidity, now: HostInstant = Lab.now) throws {
        folder = try Folder()
        authority = try Authority.create(at: folder.place("pki"), name: "lab", validity: validity, now: now)
    }

    func issue(_ role: Role, _ name: String, validity: Span = Credentials.defaultValidity) throws -> Credentials {
        try authority.issue(role: role, name: name, validity: validity, now: now)
    }

    func policy() throws -> TrustPolicy {
        try TrustPolicy(authorities: [authority.certificate], revocations: [try authority.revocations(now: now)])
    }

    /// A host's folder as the authority would fill it.
    func host(_ name: String, _ role: Role = .hypervisor) throws -> Folder {
        let host = try Folder()
        try issue(role, name).write(to: host.place("\(name).pem"))
        try host.write("revoked", try authority.revocations(now: now).bytes, mode: 0o644)
        return host
    }
}

/// The code of the error that the body throws; nil when it throws none.
func code(_ body: () throws -> Void) -> PKIError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? PKIError)?.code
    }
}

extension Result where Success == PeerIdentity, Failure == PeerRefusal {
    var reason: PeerRefusal.Reason? {
        if case .failure(let refusal) = self { refusal.reason } else { nil }
    }

    var peer: PeerIdentity? { try? get() }
}
