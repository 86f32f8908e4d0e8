import Synchronization

/// Machines that run together, for one test alone. ``withSimulation(_:clock:scope:fermata:_:)`` and the trait
/// ``Testing/Trait/simulation(_:clock:scope:fermata:)`` give one and end it; one from ``Fermata/up(_:name:)`` or
/// ``Fermata/clone(_:name:clock:scope:)`` ends with ``end()``, or with the process, however that ends.
public final class Simulation: Sendable, CustomStringConvertible {
    /// Of the checkpoint of a test that failed.
    static let failed = "failed"

    @TaskLocal static var active: Simulation?

    /// The simulation of the test that runs now.
    /// - Throws: `no-simulation` when it has none, or is asked in a detached task.
    public static var current: Simulation {
        get throws(FermataError) {
            if let active { return active }
            throw FermataError(
                code: "no-simulation",
                exitCode: 2,
                "there is no simulation here: give the test or its suite the trait .simulation(…), or use withSimulation(…); a "
                    + "detached task is told of none"
            )
        }
    }

    public let name: String
    /// What it began with: the path of a manifest, or a checkpoint `SIM@NAME`.
    public let source: String
    let control: Control
    private let lease: Lease
    private let known = Mutex<[String: Machine]>([:])
    private let ending = Mutex(Ending())

    private struct Ending {
        /// Names of checkpoints that stay.
        var kept: Set<String> = []
        var hasBegun = false
    }

    init(_ lease: Lease, from source: String, _ control: Control) {
        name = lease.simulation
        self.source = source
        self.control = control
        self.lease = lease
    }

    public var description: String { name }

    // MARK: - What it is

    /// What it is doing, and its machines, now.
    public var status: SimulationStatus {
        get async throws(FermataError) { try await SimulationStatus.read(name, control) }
    }

    /// One of its machines. Whether there is one of that name shows when it is asked for something.
    public func machine(_ name: String) -> Machine {
        known.withLock { known in
            if let machine = known[name] { return machine }
            let machine = Machine(name, of: self.name, control)
            known[name] = machine
            return machine
        }
    }

    /// Those that have a QEMU now, by name.
    public var machines: [Machine] {
        get async throws(FermataError) { try await status.machines.map(\.name).sorted().map { machine($0) } }
    }

    /// What the clocks of each machine read. Running machines stand still for about 2 ms meanwhile.
    /// - Parameter checkpoint: the name of one of its checkpoints; nil: now.
    /// - Returns: by the machines' names.
    public func clock(_ checkpoint: String? = nil) async throws(FermataError) -> [String: Clocks] {
        let words = ["clock", checkpoint.map { "\(name)@\($0)" } ?? name]
        let answer = try await control.run(words)
        let report = try Control.decode(ClockReport.self, answer, "fermata \(words.joined(separator: " "))")
        return Dictionary(report.machines.map { ($0.name, $0.clock) }) { first, _ in first }
    }

    private struct ClockReport: Decodable {
        struct Machine: Decodable {
            let name: String
            let clock: Clocks
        }

        let machines: [Machine]
    }

    // MARK: - How it ends

    /// Lets a checkpoint outlive the test, with those that it stands on.
    public func keep(_ checkpoint: Checkpoint) {
        // Of another simulation it is not this one's to end.
        guard checkpoint.simulation == name else { return }
        ending.withLock { _ = $0.kept.insert(checkpoint.name) }
    }

    /// Ends its machines and removes it, with all checkpoints that are not to be kept. A second time does nothing.
    /// - Returns: why some of its checkpoints stay that were not to be kept: others stand on them. They go with those.
    @discardableResult
    public func end() async throws(FermataError) -> [FermataError.Reason] {
        let kept = ending.withLock { ending -> [String]? in
            defer { ending.hasBegun = true }
            return ending.hasBegun ? nil : ending.kept.sorted()
        }
        guard let kept else { return [] }
        return try await lease.end(keeping: kept).reasons
    }
}
