import FermataTesting
import Synchronization
import Testing

@Suite(Scenes.areOn, .simulation(.ticker)) struct CopyScenes {
    /// How many tests have a simulation, and how many had one at the same time at most.
    private static let crowd = Mutex((now: 0, most: 0))

    @Test(arguments: 0..<4) func `each has its own`(_ number: Int) async throws {
        Self.crowd.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        defer { Self.crowd.withLock { $0.now -= 1 } }
        let simulation = try Simulation.current
        let arm = simulation.machine("arm")
        // Its log begins with the copy, and its guest where the lab was.
        let match = try await arm.serial.expect(/"tick":(\d+)/)
        #expect(try #require(Int(match.1)) >= 2)
        #expect(simulation.source.hasSuffix("@booted"))
        // Comes only when another has one, too.
        for _ in 0..<3_000 where Self.crowd.withLock({ $0.most }) < 2 { try await Task.sleep(for: .milliseconds(10)) }
        let process = try await arm.status.processID ?? 0
        print("COPY \(simulation) of process \(process), at once \(Self.crowd.withLock { $0.most })")
    }

    @Test(.simulation(.manifest(Scenes.manifest))) func `the innermost trait counts`() async throws {
        let simulation = try Simulation.current
        #expect(simulation.source == Scenes.manifest)
        try await simulation.machine("arm").serial.expect("\"tick\":1,", timeout: .seconds(60))
    }

    @Test func `a simulation within a test waits for no place`() async throws {
        let outer = try Simulation.current
        let inner = try await withSimulation(.ticker) { inner in
            let current = try Simulation.current
            #expect(current === inner)
            return inner.name
        }
        #expect(try Simulation.current === outer && inner != outer.name)
    }
}
