import FoundationEssentials
public import HostClock
public import HypervisorAPI
public import Logging
import Synchronization
import Time

/// Decides: chooses instants, asks every hypervisor, keeps the state database and the checkpoint tree, reports.
///
/// Operations run in tasks of the instance's own; whoever asked for one may go away. A new instance calls ``recover()``
/// once before anything else.
public final class ControlInstance: Sendable {
    /// Folder of all state: `state.sqlite`, `checkpoints/`.
    public let home: String
    public let options: ControlOptions

    let hypervisors: [any Hypervisor]
    let store: any Store
    let checkpointSet: CheckpointSet
    let clock: any RealtimeClock
    let logger: Logger
    let state = Mutex(State())
    let sealing = Sealing()

    struct State {
        /// What may change a simulation now; at most one thing each.
        var claims: [String: Claim] = [:]
        var live: [OperationID: LiveOperation] = [:]
        var uses = CheckpointUses()
    }

    /// - Parameters:
    ///   - home: absolute; created if it is not there.
    ///   - hypervisors: the first is the one of machines that name no host; each with a name of its own.
    /// - Throws: ``ControlError`` when `home` cannot be used.
    public init(
        home: String,
        hypervisors: [any Hypervisor],
        store: any Store,
        clock: any RealtimeClock = SystemClock(),
        options: ControlOptions = ControlOptions(),
        logger: Logger = Logger(label: "fermata.control")
    ) throws(ControlError) {
        guard !hypervisors.isEmpty, Set(hypervisors.map(\.host)).count == hypervisors.count else {
            throw ControlError(
                code: "hosts-not-unique",
                message: "a control instance needs at least one hypervisor, each with a host name of its own",
                exitCode: 2
            )
        }
        self.home = home
        self.hypervisors = hypervisors
        self.store = store
        self.clock = clock
        self.options = options
        self.logger = logger
        checkpointSet = try CheckpointSet(folder: "\(home)/checkpoints")
    }

    func hypervisor(of host: String) -> (any Hypervisor)? { hypervisors.first { $0.host == host } }

    /// The host that a machine without one runs on.
    var ownHost: String { hypervisors[0].host }
}
