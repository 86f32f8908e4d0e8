import ControlInstance
import GuestClock
import HypervisorAPI
import Time

// What the paths already say (simulation, checkpoint) is not in the bodies. Everything else is as in the requests of
// ControlInstance, whose coding these use.

/// `POST …/up`.
struct UpBody: StrictBody {
    static let fields = ["spec", "when"]
    let spec: SimulationSpec
    let when: When?
}

/// `POST …/suspend` and `POST …/checkpoint`.
struct SaveBody: StrictBody {
    static let fields = ["checkpoint", "when", "labels", "note"]
    let checkpoint: String?
    let when: When?
    let labels: [String: String]?
    let note: String?
}

/// `POST …/resume`.
struct ResumeBody: StrictBody {
    static let fields = ["checkpoint", "when", "policy", "scope", "ram"]
    let checkpoint: String?
    let when: When?
    let policy: ClockPolicy?
    let scope: ClockScope?
    let ram: RAMUse?
}

/// `POST …/rewind`.
struct RewindBody: StrictBody {
    static let fields = ["checkpoint", "when", "policy", "scope", "keepAs", "discard"]
    let checkpoint: String
    let when: When?
    let policy: ClockPolicy?
    let scope: ClockScope?
    /// Name of the checkpoint that what runs is saved to.
    let keepAs: String?
    let discard: Bool?
}

/// `POST …/adopt`.
struct AdoptBody: StrictBody {
    static let fields = ["machine", "monitor", "host"]
    let machine: String
    let monitor: String
    let host: String?
}

/// `POST …/checkpoints/{checkpoint}/clocks`.
struct ClockEditBody: StrictBody {
    static let fields = ["checkpoint", "policy", "scope"]
    /// Name of the new checkpoint.
    let checkpoint: String?
    let policy: ClockPolicy
    let scope: ClockScope?
}

/// `POST …/checkpoints/{checkpoint}/move`.
struct MoveBody: StrictBody {
    static let fields = ["checkpoint", "hosts", "qemu"]
    /// Name of the new checkpoint.
    let checkpoint: String?
    /// By machine.
    let hosts: [String: String]
    let qemu: [String]?
}

/// `PATCH …/checkpoints/{checkpoint}`.
struct AnnotateBody: StrictBody {
    static let fields = ["labels", "note"]
    /// Those with null are taken away.
    let labels: [String: String?]?
    let note: String?
}

/// `POST …/checkpoints/{checkpoint}/clone`.
struct CloneBody: StrictBody {
    static let fields = ["name", "count", "when", "policy", "scope", "newMACs"]
    let name: String
    let count: Int?
    let when: When?
    let policy: ClockPolicy?
    let scope: ClockScope?
    let newMACs: Bool?
}

/// `POST /v1/hosts`.
struct HostBody: StrictBody {
    static let fields = ["name", "address", "labels"]
    let name: String
    let address: String
    let labels: [String: String]?
}

/// `POST /v1/hosts/{host}/drain`.
struct DrainBody: StrictBody {
    static let fields = ["drained"]
    /// false: it takes machines again.
    let drained: Bool?
}

/// `POST /v1/tokens`.
struct TokenBody: StrictBody {
    static let fields = ["name", "role", "lifeNs"]
    let name: String
    let role: AccessRole
    /// nil: until it is revoked.
    let lifeNs: Span?
}

/// `POST /v1/gc`.
struct GarbageBody: StrictBody {
    static let fields = ["simulation", "dryRun", "keep", "olderThanNs", "all"]
    let simulation: String?
    let dryRun: Bool?
    let keep: Int?
    let olderThanNs: Span?
    let all: Bool?
}

/// `POST …/machines/{machine}/serial`.
struct SerialBody: StrictBody {
    static let fields = ["base64"]
    let base64: String
}

/// `POST /v1/leases`.
struct LeaseBody: StrictBody {
    static let fields = ["simulation"]
    let simulation: String
}

/// `POST /v1/leases/{simulation}/end`.
struct LeaseEndBody: StrictBody {
    static let fields = ["keep"]
    /// Names of checkpoints.
    let keep: [String]?
}

/// Of requests that need nothing said.
struct EmptyBody: StrictBody {
    static let fields: [String] = []
}

/// `POST …/settle`.
struct SettleBody: StrictBody {
    static let fields = ["decision"]
    let decision: OperationState.Decision?
}
