import ControlInstance
import FoundationEssentials
import HTTPTypes
import HypervisorAPI
import Testing
import Time

@testable import Console

/// Specs that no manifest would give, as requests to a real control instance.
@Suite struct UpSpecTests {
    private static let machine = MachineSpec(name: "a", qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc")

    @Test(arguments: ["../../../x", "A", "", "a/b", "a,b"])
    func `a machine's name that cannot be a folder's is a bad request`(_ name: String) async throws {
        var machine = Self.machine
        machine.name = name
        let problem = try await answer(to: SimulationSpec(name: "lab", machines: [machine]))
        #expect(problem.status == 400 && problem.code == "name-invalid" && problem.exitCode == 2)
    }

    @Test func `two machines of one name are a bad request that names them`() async throws {
        let problem = try await answer(to: SimulationSpec(name: "lab", machines: [Self.machine, Self.machine]))
        #expect(problem.status == 400 && problem.code == "spec-invalid" && problem.exitCode == 2)
        #expect(problem.detail.contains("two machines named 'a'"), "\(problem.detail)")
    }

    private func answer(to spec: SimulationSpec) async throws -> Problem {
        let json = String(decoding: try JSONEncoder().encode(["spec": spec]), as: UTF8.self)
        return try await withFolder { folder in
            let control = try ControlInstance(
                home: folder,
                hypervisors: [NoHypervisor()],
                store: SQLiteStore(path: "\(folder)/state.sqlite")
            )
            return try await RouterClient.with(control) { client async throws in
                try await client.send(.post, "/v1/simulations/lab/up", json).problem()
            }
        }
    }
}

/// Has nothing and does nothing; being asked for something is a failure.
private struct NoHypervisor: Hypervisor {
    let host = "here"

    private var refusal: HypervisorError { HypervisorError(code: "internal", message: "nobody should have asked") }

    func describe() async -> HypervisorDescription {
        HypervisorDescription(host: host, architecture: "x86_64", binaries: [], findings: [])
    }

    func prepare(_ order: Order) async -> PrepareAnswer {
        Issue.record("a hypervisor was asked")
        return .refused(refusal.reasons)
    }

    func machines(of simulation: String?) async -> [MachineStatus] { [] }
    func cancel(_ handle: Handle) async {}
    func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError) { throw refusal }
    func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport { throw refusal }
    func stages(of operation: OperationID) async -> AsyncStream<Stage> { AsyncStream { $0.finish() } }
    func commit(_ operation: OperationID) async throws(HypervisorError) {}
    func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError) {}
    func undecided() async -> [UndecidedOperation] { [] }
    func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks] { [] }
    func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus { throw refusal }
    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk {
        throw refusal
    }
    func readEvents(of machine: MachinePlace, after mark: EventMark?) async throws(HypervisorError) -> EventChunk {
        throw refusal
    }
    func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError) { throw refusal }
    func end(_ simulation: String) async throws(HypervisorError) {}
    func obstacles(to order: ResumeOrder) async -> [Reason] { [] }
    func verify(_ checkpoint: StoredCheckpoint) async -> [Reason] { [] }
    func lost(_ checkpoint: StoredCheckpoint) async -> [Reason] { [] }
    func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile] { throw refusal }
    func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint] { throw refusal }
    func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint {
        throw refusal
    }
    func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece { throw refusal }
    func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError) { throw refusal }
    func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival { throw refusal }
    func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError) {}
    func removeCheckpoint(folder: String) async throws(HypervisorError) {}
}
