import HypervisorAPI
import Testing

@testable import ControlInstance

/// What becomes of an adoption that a host refuses.
struct AdoptionTests {
    @Test(arguments: [
        ("monitor-invalid", 2), ("monitor-failed", 3), ("adopt-process-unknown", 3), ("adopt-clock-unknown", 3),
        ("file-failed", 1),
    ])
    func whatWasNamedIsAtFaultOrHowThingsAre(_ code: String, _ status: Int) async throws {
        let bench = try Bench()
        let control = try bench.control()
        let error = await #expect(throws: ControlError.self) {
            try await control.adopt(AdoptRequest(simulation: "sim", machine: "a", monitor: "refuse:\(code)"))
        }
        #expect(error?.reasons.map(\.code) == [code])
        #expect(error?.exitCode == status)
        #expect(try await control.simulations().isEmpty)
    }
}
