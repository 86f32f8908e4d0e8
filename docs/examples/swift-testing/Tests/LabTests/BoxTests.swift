import FermataTesting
import Testing

extension Lab {
    /// Boot once…
    static let box = Lab.booted("lab.yaml") { lab in
        try await lab.machine("box").serial.expect("\"event\":\"ready\"", timeout: .seconds(120))
    }
}

/// …test many: each test, and each argument, has a copy of the booted machine, of its own.
@Suite(.simulation(.box)) struct BoxTests {
    @Test func `the console answers`() async throws {
        let console = try Simulation.current.machine("box").serial
        try await console.send("clocks hello\n")
        try await console.expect(/"event":"clocks","tag":"hello"/)
    }

    @Test(arguments: ["+1h", "at=2030-01-01T00:00:00Z"] as [ClockPolicy])
    func `it is later when it goes on`(_ clock: ClockPolicy) async throws {
        let simulation = try Simulation.current
        let before = try #require(try await simulation.clock()["box"]?.rtcNs)
        try await simulation.suspend()
        try await simulation.resume(clock: clock)

        // The guest itself says so, too.
        let console = simulation.machine("box").serial
        try await console.send("clocks later\n")
        let answer = try await console.expect(/"tag":"later".*"rtcNs":(\d+)/)
        // Its clock tells whole seconds.
        let second: Int64 = 1_000_000_000
        let hour = 3600 * second
        #expect(try #require(Int64(answer.1)) - before > hour - second)
    }

    @Test func `what was done can be undone`() async throws {
        let simulation = try Simulation.current
        try await simulation.checkpoint("clean")
        let console = simulation.machine("box").serial
        try await console.send("clocks one\n")
        try await console.expect(/"tag":"one"/)

        try await simulation.rewind("clean", keepingAs: "used")
        try await console.send("clocks two\n")
        try await console.expect(/"tag":"two"/)
        let (clean, used) = (try await simulation.clock("clean"), try await simulation.clock("used"))
        #expect(try #require(clean["box"]?.virtual) < #require(used["box"]?.virtual))
    }
}
