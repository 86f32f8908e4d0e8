import ControlInstance
import FoundationEssentials
import HypervisorAPI
import Time

/// A home folder with a real database, and hypervisors that are doubles. The folder is gone with the last of them.
final class Bench: Sendable {
    private let folder: TemporaryFolder
    let left: ScriptedHypervisor
    let right: ScriptedHypervisor
    let store: any Store
    /// Machines `a` and `b` on the left host, `c` on the right.
    static let spec = SimulationSpec(
        name: "sim",
        machines: [.sample("a"), .sample("b", host: "left"), .sample("c", host: "right")]
    )

    convenience init() throws {
        let folder = try TemporaryFolder()
        self.init(folder, try SQLiteStore(path: "\(folder.path)/state.sqlite"))
    }

    convenience init(_ kind: StoreKind) async throws {
        let folder = try TemporaryFolder()
        self.init(folder, try await kind.place(folder.path).open())
    }

    init(_ folder: TemporaryFolder, _ store: any Store) {
        self.folder = folder
        self.store = store
        left = ScriptedHypervisor(host: "left", folder: folder)
        right = ScriptedHypervisor(host: "right", folder: folder)
    }

    var home: String { folder.path }

    /// Short times, so that what never answers costs a test little.
    static var options: ControlOptions {
        var options = ControlOptions()
        options.prepareTimeout = .milliseconds(2000)
        options.answerTimeout = .milliseconds(2000)
        options.reportTimeout = .milliseconds(2000)
        options.decisionTimeout = .milliseconds(1000)
        options.decisionAttempts = 3
        options.decisionPause = .milliseconds(5)
        options.asapMargin = .milliseconds(10)
        options.rollbackLead = .milliseconds(5)
        options.sealPatience = .milliseconds(200)
        options.transferPatience = .seconds(20)
        options.transferPause = .milliseconds(5)
        return options
    }

    func control(
        store: (any Store)? = nil,
        options: ControlOptions = options,
        wrapping: (ScriptedHypervisor) -> any Hypervisor = { $0 }
    ) throws -> ControlInstance {
        try ControlInstance(
            home: home,
            hypervisors: [wrapping(left), wrapping(right)],
            store: store ?? self.store,
            options: options
        )
    }

    /// Of all machines on both hosts.
    var states: [String: ScriptedHypervisor.MachineState] {
        left.states(of: "sim").merging(right.states(of: "sim")) { first, _ in first }
    }

    /// Everything below `checkpoints/sim`.
    var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(home)/checkpoints/sim")) ?? []).sorted()
    }

    /// Whether both hosts have nothing under way, now or soon: what comes late is cancelled when it comes.
    func becomesIdle() async -> Bool {
        for _ in 0..<500 {
            if left.openOperations.isEmpty && right.openOperations.isEmpty { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    static let running: [String: ScriptedHypervisor.MachineState] = ["a": .running, "b": .running, "c": .running]

    func up(_ control: ControlInstance) async throws {
        let report = try await control.result(of: control.up(UpRequest(spec: Self.spec)))
        guard report.outcome == .done else { throw ControlError(report.reasons) }
    }

    func suspend(_ control: ControlInstance, as name: String? = nil, when: When = .asap) async throws -> OperationReport
    {
        try await control.result(of: control.suspend(SaveRequest(simulation: "sim", checkpoint: name, when: when)))
    }

    func resume(_ control: ControlInstance, _ name: String? = nil) async throws -> OperationReport {
        try await control.result(of: control.resume(ResumeRequest(simulation: "sim", checkpoint: name)))
    }
}
