import FermataTesting
import Glibc
import Testing

@Suite(Scenes.areOn, .simulation(.ticker)) struct DeathScenes {
    @Test func `in the middle of a test`() async throws {
        let simulation = try Simulation.current
        try await simulation.suspend("s1")
        try await simulation.resume()
        print("KILLED \(simulation)")
        fflush(nil)
        kill(getpid(), SIGKILL)
    }

    @Test func `in the middle of a suspend`() async throws {
        let simulation = try Simulation.current
        print("KILLED \(simulation)")
        fflush(nil)
        Task { try await simulation.suspend("s1", after: .seconds(2)) }
        // Until it has begun.
        for _ in 0..<3_000 {
            if try await simulation.status.state == "suspending" { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        kill(getpid(), SIGKILL)
    }
}
