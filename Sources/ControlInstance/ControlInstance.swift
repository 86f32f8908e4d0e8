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

    /// Those that it was made with, its own host's first.
    private let own: [any Hypervisor]
    private let connect: Connector?
    let store: any Store
    let changes = Changes()
    let checkpointSet: CheckpointSet
    let clock: any RealtimeClock
    /// nil: hooks are not run.
    let hookRunner: (any HookRunner)?
    let logger: Logger
    let state = Mutex(State())
    let sealing = Sealing()

    struct State {
        /// What may change a simulation now; at most one thing each.
        var claims: [String: Claim] = [:]
        var live: [OperationID: LiveOperation] = [:]
        /// What ``ControlInstance/settleLater(_:)`` is at.
        var settling: Set<OperationID> = []
        var uses = CheckpointUses()
        var metrics = OperationMetrics()
        var leases = Leases()
        /// Of simulations that run and have triggers.
        var triggers: [String: TriggerWatch] = [:]
        /// Of triggers whose operations are still under way: how these have ended, which is told when their simulations are free.
        var untold: [OperationID: [(simulation: String, report: TriggerReport)]] = [:]
        /// Of hooks of triggers.
        var hookRuns: [Int: Task<HookRun, Never>] = [:]
        private var nextHookRun = 0

        /// - Returns: its key.
        mutating func addHookRun(_ task: Task<HookRun, Never>) -> Int {
            nextHookRun += 1
            hookRuns[nextHookRun] = task
            return nextHookRun
        }
        /// Hosts that were added, by name.
        var added: [String: AddedHost] = [:]
    }

    /// Makes the hypervisor of a host that was added; nothing is sent to it yet.
    public typealias Connector = @Sendable (HostRecord) -> any Hypervisor

    struct AddedHost {
        var record: HostRecord
        var hypervisor: any Hypervisor
    }

    /// - Parameters:
    ///   - home: absolute; created if it is not there.
    ///   - hypervisors: the first is the one of machines that name no host; each with a name of its own.
    ///   - hooks: runs those of manifests and of the folder `hooks`.
    ///   - connect: for hosts that are added; nil: none can be.
    /// - Throws: ``ControlError`` when `home` cannot be used.
    public init(
        home: String,
        hypervisors: [any Hypervisor],
        connect: Connector? = nil,
        store: any Store,
        clock: any RealtimeClock = SystemClock(),
        options: ControlOptions = ControlOptions(),
        hooks: (any HookRunner)? = nil,
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
        own = hypervisors
        self.connect = connect
        self.store = ToldStore(base: store, changes: changes)
        self.clock = clock
        self.options = options
        hookRunner = hooks
        self.logger = logger
        checkpointSet = try CheckpointSet(folder: "\(home)/checkpoints")
    }

    deinit {
        for watch in state.withLock({ $0.triggers }).values { watch.end() }
    }

    /// Gives up what it has of a shared database, so that nobody waits for it. To be called once, last.
    public func close() async {
        endAllTriggers()
        await store.close()
    }

    var hypervisors: [any Hypervisor] {
        own + state.withLock { $0.added.sorted { $0.key < $1.key }.map(\.value.hypervisor) }
    }

    /// - Throws: `hosts-not-possible` when this instance has no credentials for other hosts.
    func connection(to host: HostRecord) throws(ControlError) -> any Hypervisor {
        guard let connect else {
            throw ControlError(
                code: "hosts-not-possible",
                message: "this control instance has no way to other hosts",
                exitCode: 3
            )
        }
        return connect(host)
    }

    func hypervisor(of host: String) -> (any Hypervisor)? {
        own.first { $0.host == host } ?? state.withLock { $0.added[host]?.hypervisor }
    }

    /// What changes from now on: of simulations, checkpoints, operations and hosts.
    /// - Parameter last: the id of the change that the follower saw last; what came behind it is told first. Where that is not
    ///   known any more, or there is none, the first change is ``Change/What/reset``.
    public func changes(after last: String?) -> AsyncStream<Change> { changes.follow(after: last) }

    /// The host that a machine without one runs on.
    public var ownHost: String { own[0].host }
}
