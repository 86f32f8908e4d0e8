import Time

/// Who has sent a request. The door that it came by says so; a request without one is refused, whatever it asks for.
enum Caller: Sendable {
    /// The user whose daemon it is: the kernel lets nobody else connect to the UNIX socket.
    case owner
    case browser(BrowserSession)
    case token(AccessToken)

    var role: AccessRole {
        switch self {
        case .owner, .browser: .admin
        case .token(let token): token.role
        }
    }

    /// When he may no longer do any of it, and so nobody by his leave; nil: there is no such time.
    var end: HostInstant? {
        switch self {
        case .owner, .browser: nil
        case .token(let token): token.expires
        }
    }

    /// For logs. Nothing of it lets anybody in.
    var name: String {
        switch self {
        case .owner: "owner"
        case .browser: "browser"
        case .token(let token): "token \(token.name)"
        }
    }
}
