/// Where a monitor listens.
public enum QMPAddress: Hashable, Sendable {
    /// A UNIX socket; the path may be longer than the 107 bytes a socket address holds.
    case unix(String)
    case tcp(host: String, port: UInt16)

    /// Reads `unix:/path`, `/path`, `./path`, `tcp:host:port` and `tcp:[::1]:port`.
    public init(parsing text: String) throws(QMPError) {
        if let rest = Self.rest(of: text, behind: "unix:") {
            guard !rest.isEmpty else { throw Self.refusal(text, "no path follows 'unix:'") }
            self = .unix(rest)
        } else if let rest = Self.rest(of: text, behind: "tcp:") {
            guard let colon = rest.lastIndex(of: ":"), let port = UInt16(rest[rest.index(after: colon)...]), port > 0
            else { throw Self.refusal(text, "a TCP address ends in ':' and a port from 1 to 65535") }
            var host = rest[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard !host.isEmpty else { throw Self.refusal(text, "no host stands before the port") }
            self = .tcp(host: String(host), port: port)
        } else if text.contains("/") {
            self = .unix(text)
        } else {
            throw Self.refusal(text, "write unix:PATH, a path with a '/', or tcp:HOST:PORT")
        }
        if case .unix(let path) = self, path.utf8.contains(0) {
            throw Self.refusal(text, "a path has no NUL in it")
        }
    }

    private static func rest(of text: String, behind prefix: String) -> String? {
        text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : nil
    }

    private static func refusal(_ text: String, _ reason: String) -> QMPError {
        QMPError(.invalidAddress("'\(text)' is no monitor address: \(reason)"))
    }
}

extension QMPAddress: CustomStringConvertible {
    /// The form that ``init(parsing:)`` reads.
    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        }
    }
}
