import HTTPTypes

/// Who may use a route: whoever has the role, by one of the doors.
struct RouteAccess: Hashable, Sendable {
    enum Doors: Hashable, Sendable {
        case all
        /// Who gets at a browser should not get further than it.
        case notBrowsers
        /// What makes sense only on the daemon's own host.
        case socket
    }

    let role: AccessRole
    var doors = Doors.all

    /// - Parameter route: `GET /v1/hosts`.
    static func of(_ route: String) -> RouteAccess {
        // What nobody has thought of yet is for the owner alone.
        table[route] ?? RouteAccess(role: .admin, doors: .socket)
    }

    static func of(_ endpoint: Endpoint) -> RouteAccess { of("\(endpoint.method.rawValue) \(endpoint.path)") }

    /// - Throws: a 401 without a caller, a 403 for one who may not.
    func admit(_ caller: Caller?, to path: String) throws(Problem) -> Caller {
        guard let caller else { throw .tokenMissing }
        switch (doors, caller) {
        case (.socket, .browser), (.notBrowsers, .browser): throw .notForBrowsers(path)
        case (.socket, .token): throw .localOnly(path)
        default: break
        }
        guard caller.role >= role else { throw .roleInsufficient(caller.role, needed: role) }
        return caller
    }

    /// All routes of the API; a test compares them with docs/openapi.yaml.
    static let table: [String: RouteAccess] = {
        let simulation = "/v1/simulations/{simulation}"
        let checkpoint = "\(simulation)/checkpoints/{checkpoint}"
        let serial = "\(simulation)/machines/{machine}/serial"
        let operation = "/v1/operations/{operation}"
        let view = [
            "GET /v1/version", "GET /v1/session", "GET /v1/events", "GET /v1/health", "GET /metrics", "GET /v1/doctor",
            "GET /v1/hosts", "GET /v1/simulations", "GET \(simulation)", "GET \(simulation)/clocks",
            "GET \(simulation)/checkpoints", "GET \(checkpoint)", "GET \(checkpoint)/clocks",
            "GET \(serial)", "GET /v1/operations", "GET \(operation)", "GET \(operation)/events",
        ]
        let operate = [
            "POST \(simulation)/suspend", "POST \(simulation)/checkpoint", "POST \(simulation)/resume",
            "POST \(simulation)/rewind", "POST \(simulation)/down", "DELETE \(simulation)",
            "POST \(operation)/cancel",
            "PATCH \(checkpoint)", "DELETE \(checkpoint)", "POST \(checkpoint)/verify", "POST \(checkpoint)/seal",
            "POST \(checkpoint)/clone", "POST \(checkpoint)/clocks", "POST \(checkpoint)/move",
            // All of the guests' memory and disks.
            "GET \(checkpoint)/archive",
            "POST \(serial)", "POST /v1/gc", "POST /v1/leases", "POST /v1/leases/{simulation}/end",
        ]
        let admin = [
            // What these bring along names programs, which are run as the daemon's user.
            "POST \(simulation)/up", "POST \(simulation)/adopt", "POST /v1/import",
            "DELETE /v1/session", "POST /v1/hosts", "DELETE /v1/hosts/{host}", "POST /v1/hosts/{host}/drain",
            "POST \(operation)/settle",
        ]
        let tokens = ["GET /v1/tokens", "POST /v1/tokens", "DELETE /v1/tokens/{token}"]
        let own = ["POST /v1/shutdown", "POST /v1/console"]
        let all =
            view.map { ($0, RouteAccess(role: .view)) } + operate.map { ($0, RouteAccess(role: .operate)) }
            + admin.map { ($0, RouteAccess(role: .admin)) }
            + tokens.map { ($0, RouteAccess(role: .admin, doors: .notBrowsers)) }
            + own.map { ($0, RouteAccess(role: .admin, doors: .socket)) }
        return Dictionary(all, uniquingKeysWith: { first, _ in first })
    }()
}
