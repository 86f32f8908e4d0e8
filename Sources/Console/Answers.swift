public import ControlInstance
public import HypervisorAPI
public import Time

// Answers that no report type of ControlInstance is.

/// `GET /v1/version`.
public struct VersionAnswer: Codable, Hashable, Sendable {
    public var version: String
    /// Of the daemon.
    public var processID: Int32
    public var started: HostInstant
    /// What the host's clock reads; nil: of a daemon that does not tell.
    public var now: HostInstant?
    /// What it calls its own host; likewise.
    public var host: String?

    private enum CodingKeys: String, CodingKey {
        case version, processID, host
        case started = "startedNs"
        case now = "nowNs"
    }
}

/// `POST /v1/console`.
public struct ConsoleAnswer: Codable, Hashable, Sendable {
    /// Lets one browser in, once.
    public var url: String
    public var port: Int
    public var expires: HostInstant

    private enum CodingKeys: String, CodingKey {
        case url, port
        case expires = "expiresNs"
    }
}

/// `GET /v1/session`.
public struct SessionAnswer: Encodable, Hashable, Sendable {
    /// What it may do.
    public var role: String
    /// nil: it has no end, as on the UNIX socket.
    public var expires: HostInstant?
    public var now: HostInstant

    private enum CodingKeys: String, CodingKey {
        case role
        case expires = "expiresNs"
        case now = "nowNs"
    }
}

/// `GET /v1/tokens`.
public struct TokensAnswer: Codable, Hashable, Sendable {
    /// By name.
    public var tokens: [TokenReport]
}

/// What can be told of a token.
public struct TokenReport: Codable, Hashable, Sendable {
    public var name: String
    public var role: AccessRole
    public var created: HostInstant
    /// nil: until it is revoked.
    public var expires: HostInstant?

    private enum CodingKeys: String, CodingKey {
        case name, role
        case created = "createdNs"
        case expires = "expiresNs"
    }

    init(_ token: AccessToken) {
        (name, role, created, expires) = (token.name, token.role, token.created, token.expires)
    }
}

/// `POST /v1/tokens`.
public struct TokenCreated: Codable, Hashable, Sendable {
    /// The token itself, this once.
    public var token: String
    public var kept: TokenReport
}

/// `GET /v1/health`.
public struct HealthAnswer: Codable, Hashable, Sendable {
    public var status: String
}

/// `GET /v1/simulations`.
public struct SimulationsAnswer: Codable, Hashable, Sendable {
    public var simulations: [SimulationSummary]
}

/// `GET …/checkpoints`.
public struct CheckpointsAnswer: Codable, Hashable, Sendable {
    public var simulation: String
    public var checkpoints: [CheckpointSummary]
    /// nil: of a daemon that does not know it.
    public var storage: StorageReport?
}

/// `GET /v1/hosts`.
public struct HostsAnswer: Codable, Hashable, Sendable {
    /// The control instance's own first.
    public var hosts: [HostReport]
}

/// `GET /v1/operations`.
public struct OperationsAnswer: Codable, Hashable, Sendable {
    /// Newest first.
    public var operations: [OperationDetail]
    /// Path of the page with those before them; nil: there are none.
    public var next: String?
}

/// An operation has begun; it goes on whether or not anybody listens.
public struct OperationStarted: Codable, Hashable, Sendable {
    public var operation: OperationID
    /// Path of its events.
    public var events: String
}

/// Clones have begun, each an operation of its own.
public struct ClonesStarted: Codable, Hashable, Sendable {
    public struct Clone: Codable, Hashable, Sendable {
        public var simulation: String
        public var operation: OperationID
        /// Path of its events.
        public var events: String
    }

    public var clones: [Clone]
}

/// The first line of a lease: it is held until the connection ends.
public struct LeaseHeld: Codable, Hashable, Sendable {
    public var event = "held"
    public var simulation: String

    init(simulation: String) { self.simulation = simulation }
}

/// `DELETE …/checkpoints/{checkpoint}?recursive=true`.
public struct RemovedAnswer: Codable, Hashable, Sendable {
    /// Names, descendants first.
    public var removed: [String]
}

/// `POST …/cancel`, `POST /v1/shutdown`: it will be done.
public struct AcceptedAnswer: Codable, Hashable, Sendable {
    public var accepted: Bool
}
