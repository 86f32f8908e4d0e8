import FoundationEssentials
import Testing

@testable import FermataTesting

/// The trait, as a lab's own tests have it: each scene is a run of tests in a process and a state folder of its own.
@Suite struct TraitTests {
    private static func text(_ ended: Program.Ended) -> String {
        String(decoding: ended.output + ended.errors, as: UTF8.self)
    }

    private static func suite(_ name: String) -> String { "^FermataTestingScenes\\.\(name)/" }

    @Test func `each test has a copy of its own, two at once, and nothing is left`() async throws {
        try await TestHome.with { home in
            let ended = try await home.play(Self.suite("CopyScenes"))
            let said = Self.text(ended)
            #expect(ended.status == 0, "\(said)")
            let copies = said.matches(of: /COPY (\S+) of process (\d+), at once (\d+)/)
            #expect(Set(copies.map { $0.1 }).count == 4 && Set(copies.map { $0.2 }).count == 4, "\(said)")
            #expect(copies.allSatisfy { $0.1.hasPrefix("each-has-its-own-") }, "\(said)")
            #expect(copies.map { $0.3 }.max() == "2", "\(said)")
            try await home.expectClean(said)
            #expect(try await home.simulations().isEmpty)
        }
    }

    @Test func `a failing test's lab is kept, and a warning says how to go on from there`() async throws {
        try await TestHome.with { home in
            let ended = try await home.play(Self.suite("FailureScenes"))
            let said = Self.text(ended)
            #expect(ended.status == 1, "\(said)")
            // What came instead, and where all of it is.
            #expect(
                said.contains("'no such words' did not come within 1.5 seconds; since the last match came"),
                "\(said)"
            )
            #expect(said.contains(/\| \{.*"tick"/), "\(said)")
            let kept = said.matches(of: /go on from there: +fermata resume (([a-z]+)-[0-9a-f]{8})@([a-z]+)/)
            #expect(
                Set(kept.map { "\($0.2)@\($0.3)" }) == ["throwing@failed", "recording@failed", "suspended@mine"],
                "\(said)"
            )
            #expect(said.contains(/began with ticker-[0-9a-f]{8}@booted/), "\(said)")
            #expect(home.processes().isEmpty)
            let simulations = try await home.simulations()
            for name in kept.map({ String($0.1) }) { #expect(simulations[name] == "down", "\(simulations)") }

            let one = try #require(kept.first { $0.2 == "recording" })
            try await home.fermata("resume", "\(one.1)@failed")
            #expect(home.processes().count == 1)
            try await home.fermata("down", String(one.1))
        }
    }

    @Test(arguments: ["test", "suspend"])
    func `killed with -9 in the middle, nothing is left`(_ place: String) async throws {
        try await TestHome.with { home in
            let ended = try await home.play(Self.suite("DeathScenes") + ".*middle of a \(place)")
            let said = Self.text(ended)
            #expect(ended.status == 128 + 9 && said.contains("KILLED in-the-middle-of-a-"), "\(said)")
            try await home.expectClean(said)
            #expect(try await home.simulations().isEmpty)
        }
    }
}
