import FoundationEssentials
import Testing

@testable import FermataTesting

/// The verbs, on a real machine.
@Suite struct VerbTests {
    @Test func `suspend, resume, checkpoint, rewind and the clocks`() async throws {
        try await TestHome.with { home in
            let lab = Lab.manifest(try home.ticker())
            try await withSimulation(lab, fermata: home.library()) { simulation in
                let arm = simulation.machine("arm")
                try await arm.serial.expect("\"tick\":1,")
                let begin = try #require(try await simulation.clock()["arm"])
                #expect(try #require(begin.rtc) >= Date(timeIntervalSince1970: 1_709_208_000))
                #expect(begin.readings.contains { $0.kind == "rtc" && $0.epoch == "unix" })

                let booted = try await simulation.checkpoint("booted")
                #expect(booted.description == "\(simulation)@booted")
                #expect(try await simulation.status.state == "running")
                let process = try #require(try await arm.status.processID)

                try await simulation.suspend("s1", after: .milliseconds(500))
                #expect(try await simulation.status.state == "suspended")
                let missing = await #expect(throws: FermataError.self) { try await arm.status }
                #expect(missing?.code == "machine-missing")
                let stopped = try #require(try await simulation.clock("s1")["arm"]?.rtcNs)

                try await simulation.resume(clock: .offset(.seconds(3600)))
                #expect(try await arm.status.processID != process)
                let later = try #require(try await simulation.clock()["arm"])
                #expect(try #require(later.rtcNs) - stopped >= 3600 * 1_000_000_000)
                // The port's output goes on where it was.
                let tick = try await arm.serial.expect(/"tick":(\d+)/)
                #expect(try #require(Int(tick.1)) > 1)

                try await simulation.rewind("booted")
                let back = try #require(try await simulation.clock()["arm"])
                #expect(try #require(back.rtc) < #require(later.rtc))
                try await simulation.rewind("booted", keepingAs: "between")
                #expect(try await simulation.clock("between")["arm"] != nil)
                #expect(try await simulation.machines.map(\.name) == ["arm"])

                let unknown = await #expect(throws: FermataError.self) { try await simulation.resume("never") }
                #expect(unknown?.description.contains("never") ?? false)
                let twice = await #expect(throws: FermataError.self) { try await simulation.suspend("booted") }
                #expect(twice?.exitCode == 3)
                try await simulation.down()
                #expect(try await simulation.status.state == "down")
            }
            try await home.expectClean()
            #expect(try await home.simulations().isEmpty)
        }
    }

    @Test func `a copy of a checkpoint begins with another clock, and the checkpoint stays`() async throws {
        try await TestHome.with { home in
            let fermata = home.library(discardsFailed: true)
            try await home.fermata("up", try home.ticker())
            try await home.fermata("suspend", "ticker@s1")
            let year = try await withSimulation(
                .checkpoint("ticker@s1"),
                clock: "at=2030-01-01T00:00:00Z",
                fermata: fermata
            ) { simulation in
                try await simulation.clock()["arm"]?.rtc?.formatted(.iso8601.year())
            }
            #expect(year == "2030")
            #expect(try await home.simulations() == ["ticker": "suspended"])

            // Without a scope of its own, one that ends when it is told to, and keeps what it is told to.
            let copy = try await fermata.clone(try Checkpoint("ticker@s1"), name: "mine")
            copy.keep(try await copy.suspend("kept"))
            try await copy.end()
            try await copy.end()
            try await home.fermata("show", "\(copy)@kept")
            try await home.fermata("rm", "\(copy)@kept")
            try await home.fermata("forget", copy.name)

            // Nothing is kept of what fails when that is not wanted.
            await #expect(throws: CancellationError.self) {
                try await withSimulation(.checkpoint("ticker@s1"), fermata: fermata) { _ in throw CancellationError() }
            }
            #expect(try await home.simulations() == ["ticker": "suspended"])
        }
    }
}
