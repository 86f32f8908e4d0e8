import FermataTesting
import Testing

@Suite(Scenes.areOn, .simulation(.ticker)) struct FailureScenes {
    @Test func throwing() async throws {
        try await Simulation.current.machine("arm").serial.expect("no such words", timeout: .milliseconds(1500))
    }

    /// It goes on behind the issue, and throws nothing.
    @Test func recording() async throws {
        let simulation = try Simulation.current
        #expect(simulation.name.isEmpty)
        try await simulation.checkpoint("between")
    }

    @Test func suspended() async throws {
        try await Simulation.current.suspend("mine")
        Issue.record("it fails while its machines are suspended")
    }

    @Test func passing() async throws {
        let simulation = try Simulation.current
        withKnownIssue { #expect(simulation.name.isEmpty) }
        Issue.record("only a warning", severity: .warning)
    }

    @Test func cancelled() async throws {
        try Test.cancel("it calls itself off")
    }
}
