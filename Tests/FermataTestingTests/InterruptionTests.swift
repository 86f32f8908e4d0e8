import FoundationEssentials
import Glibc
import Testing

@testable import FermataTesting

/// What comes in between while a test runs.
@Suite struct InterruptionTests {
    @Test func `a daemon that is killed in the middle of a test ends nothing`() async throws {
        try await TestHome.with { home in
            try await withSimulation(.manifest(try home.ticker()), fermata: home.library()) { simulation in
                let process = try await simulation.machine("arm").status.processID
                let lock = try String(contentsOfFile: "\(home.path)/daemon.lock", encoding: .utf8)
                let daemon = try #require(lock.split(separator: "\n").first.flatMap { pid_t($0) })
                kill(daemon, SIGKILL)
                let now = try await simulation.machine("arm").status
                #expect(now.processID == process && now.state == "running")
                #expect(try await simulation.status.state == "running")
            }
            try await home.expectClean()
        }
    }

    @Test func `a test that is called off calls off its operation, and what it had is ended`() async throws {
        try await TestHome.with { home in
            let lab = Lab.manifest(try home.ticker())
            let fermata = home.library(discardsFailed: true)
            let test = Task {
                try await withSimulation(lab, fermata: fermata) { simulation in
                    try await simulation.suspend("never", after: .seconds(3600))
                }
            }
            for _ in 0..<1_200 {
                if try await home.simulations().values.contains("suspending") { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            test.cancel()
            let error = await #expect(throws: FermataError.self) { try await test.value }
            #expect(error?.exitCode == 130, "\(String(describing: error))")
            try await home.expectClean()
        }
    }
}
