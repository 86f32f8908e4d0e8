import FoundationEssentials
import Testing

@testable import FermataTesting

/// Daemons that are not there, or not of this release.
@Suite struct DaemonTests {
    private static let held = StrangeDaemon.json(200, "{\"event\":\"held\"}\n")

    private static func version(_ version: String) -> String { StrangeDaemon.json(200, "{\"version\":\"\(version)\"}") }

    /// A library that reaches such a daemon, and whose program does nothing and says nothing.
    private static func with(
        _ answers: [String: String],
        _ body: @Sendable (Fermata) async throws -> Void
    ) async throws {
        let folder = "/tmp/fermata-st-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let daemon = try StrangeDaemon(at: "\(folder)/s", answers)
        defer { daemon.stop() }
        try await body(Fermata(program: "/bin/false", environment: ["FERMATA_CONTROL": "unix:\(folder)/s"]))
    }

    private static func up(_ fermata: Fermata) async -> FermataError? {
        do throws(FermataError) {
            try await fermata.up("lab.yaml").end()
            return nil
        } catch {
            return error
        }
    }

    @Test func `a daemon of another version is warned of once`() async throws {
        let warnings = try await Warnings.of {
            try await Self.with(["GET /v1/version": Self.version("9.9.9"), "POST /v1/leases": Self.held]) { fermata in
                for _ in 0..<2 { #expect(await Self.up(fermata)?.code == "program-failed") }
            }
        }
        let about = warnings.filter { $0.contains("the daemon is fermata 9.9.9, this library is \(Fermata.version)") }
        #expect(about.count == 1 && about.first?.contains("fermata serve --stop") ?? false, "\(warnings)")
    }

    @Test func `a daemon of this version is not warned of`() async throws {
        let warnings = try await Warnings.of {
            try await Self.with(["GET /v1/version": Self.version(Fermata.version), "POST /v1/leases": Self.held]) {
                fermata in
                #expect(await Self.up(fermata)?.code == "program-failed")
            }
        }
        #expect(warnings.isEmpty)
    }

    @Test func `a daemon that knows no leases is refused with its version`() async throws {
        try await Self.with(["GET /v1/version": Self.version(Fermata.version)]) { fermata in
            let refusal = await Self.up(fermata)
            #expect(refusal?.code == "daemon-of-other-version", "\(String(describing: refusal))")
            #expect(refusal?.description.contains("is fermata \(Fermata.version), which knows no leases") ?? false)
        }
    }

    @Test(
        arguments: [
            ("", "program-failed"), ("SSH-2.0\r\n\r\n", "program-failed"),
            (StrangeDaemon.json(200, "[]"), "answer-not-understood"),
            (StrangeDaemon.json(200, "\u{0}"), "answer-not-understood"),
            (StrangeDaemon.json(500, "oops"), "program-failed"),
        ] as [(String, String)]
    )
    func `what is no control instance is told, and ends nothing`(_ answer: String, _ code: String) async throws {
        try await Self.with(["GET /v1/version": answer]) { fermata in
            #expect(await Self.up(fermata)?.code == code)
        }
    }

    @Test func `a program that is not there is named`() async throws {
        try await TestHome.with { home in
            for program in ["/no/fermata", "no-fermata-in-path"] {
                let error = await Self.up(Fermata(program: program, environment: home.environment))
                #expect(error?.code == "program-missing")
                #expect(error?.description.contains("the program '\(program)' cannot be run") ?? false)
            }
        }
    }

    @Test func `a daemon that is named and not there is told, and how to start it`() async throws {
        try await TestHome.with { home in
            var environment = home.environment
            environment["FERMATA_CONTROL"] = "unix:\(home.folder)/none"
            let error = await Self.up(Fermata(program: TestHome.program, environment: environment))
            #expect(error?.code == "daemon-unreachable", "\(String(describing: error))")
            #expect(error?.description.contains("fermata serve --socket \(home.folder)/none") ?? false)

            environment["FERMATA_CONTROL"] = "https://lab.example:8443"
            #expect(
                await Self.up(Fermata(program: TestHome.program, environment: environment))?.code == "daemon-elsewhere"
            )
        }
    }

    @Test func `what is wrong with a lab is told, and leaves nothing`() async throws {
        try await TestHome.with { home in
            let fermata = home.library()
            for (lab, words) in [
                (Lab.checkpoint("none"), "'none' is no checkpoint"), (.checkpoint("a@b"), "there is no checkpoint a@b"),
                (.manifest("none.yaml"), "none.yaml"),
            ] as [(Lab, String)] {
                let error = await #expect(throws: FermataError.self) {
                    try await withSimulation(lab, fermata: fermata) { _ in }
                }
                #expect(error?.description.contains(words) ?? false, "\(String(describing: error))")
            }
            let clock = await #expect(throws: FermataError.self) {
                try await withSimulation(.manifest(try home.ticker()), clock: "+1h", fermata: fermata) { _ in }
            }
            #expect(clock?.code == "usage")
            try await home.expectClean()
            #expect(throws: FermataError.self) { try Simulation.current }
        }
    }

    @Test func `the library is of the program's version`() async throws {
        let program = Program(name: TestHome.program, environment: [:])
        let said = String(decoding: try await program.run(["--version"]).output, as: UTF8.self)
        #expect(said.split(separator: "\n").first == "fermata \(Fermata.version)")
    }

    @Test func `a verb that is called off tells its operation`() async throws {
        let program = Program(name: "/bin/sleep", environment: [:])
        let task = Task { try await program.run(["600"]) }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        #expect(try await task.value.status == 128 + 2)
    }
}
