import Console

/// Where the control instance is that a verb talks to.
struct ControlAddress: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        case socket(ControlSocket)
        /// On another host, or as if it were.
        case server(ControlServer)
    }

    let place: Place
    /// Whether the user named it; then no daemon is started by itself.
    let isNamed: Bool

    /// `--control`, else `FERMATA_CONTROL`, else the socket in the state folder.
    init(option: String?, environment: [String: String], home: Home) throws {
        let named = option ?? environment["FERMATA_CONTROL"].flatMap { $0.isEmpty ? nil : $0 }
        isNamed = named != nil
        if let named, named.contains("://"), !named.hasPrefix("unix://"), !named.hasPrefix("http+unix://") {
            place = .server(try ControlServer(named))
            return
        }
        let path = try named.map(Self.path) ?? home.socket
        do {
            place = .socket(try ControlSocket(path: path))
        } catch {
            throw CommandFailure(.usage, code: "invalid-control", error.description)
        }
    }

    private static func path(of text: String) throws -> String {
        for scheme in ["unix://", "unix:", "http+unix://"] where text.hasPrefix(scheme) {
            return try absolute(String(text.dropFirst(scheme.count)), text)
        }
        return try absolute(text, text)
    }

    private static func absolute(_ path: String, _ text: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw CommandFailure(
                .usage,
                code: "invalid-control",
                "'\(text)' is no address of a control instance: write the absolute path of its socket, unix:/path, "
                    + "or https://HOST:PORT"
            )
        }
        return path
    }
}
