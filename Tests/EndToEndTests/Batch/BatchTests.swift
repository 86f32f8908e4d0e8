import FoundationEssentials
import Glibc
import JSON
import Testing

/// `fermata batch`: steps of a file with real machines, and nothing of them left.
@Suite struct BatchTests {
    @Test func `what is wrong with a file is told before anything is started, with line and column`() async throws {
        try await CLIHome.with { home in
            let file = try home.file(
                "night.yaml",
                "batch: night\nsteps:\n  - up: lab.yaml\n  - wait: {machine: a, guest: soon}\n  - resume: {clock: 1h}\n"
            )
            let run = try await CLIRun.fermata(["batch", file, "--json"], in: home)
            #expect(run.status == 2, "\(run)")
            let reasons = FaultLab.Answer(run: run).result["reasons"]?.arrayValue ?? []
            let places = reasons.compactMap { $0["message"]?.stringValue?.dropFirst(file.count).prefix(6).description }
            #expect(places == [":3:5: ", ":4:31:", ":5:21:"], "\(run)")
            #expect(reasons.allSatisfy { $0["code"]?.stringValue == "batch-invalid" })
            #expect(home.daemon == nil && !FileManager.default.fileExists(atPath: home.path))
        }
    }

    @Test func `a dry run says in words what would be done, and starts nothing`() async throws {
        try await CLIHome.with { home in
            let file = try home.file(
                "night.yaml",
                "batch: night\nmatrix: {offset: [+1h, -1h]}\nsteps: [up: {from: lab@s1, clock: '${{ offset }}'}, down]\n"
            )
            let run = try await CLIRun.fermata(["batch", file, "--dry-run"], in: home)
            #expect(
                run.outputLines == [
                    "night: 2 combinations", "1. offset=+1h:", "  line 3: start a copy of lab@s1, clocks +1h",
                    "  line 3: end it", "2. offset=-1h:", "  line 3: start a copy of lab@s1, clocks -1h",
                    "  line 3: end it",
                ],
                "\(run)"
            )
            #expect(run.status == 0 && home.daemon == nil)
        }
    }

    @Test func `a pattern that never comes, a command that fails: the reports say what came instead`() async throws {
        try await BatchLab.with { lab in
            let file = try lab.home.file(
                "night.yaml",
                """
                batch: night
                matrix: {what: [silent, bad, good]}
                steps:
                  - up: \(FaultLab.name)@base
                  - exec: [sh, -c, 'test ${{ what }} != bad || { echo it is bad >&2; exit 5; }']
                  - wait: {machine: alpha, guest: 50ms}
                  - exec: [sh, -c, 'test ${{ what }} = silent || echo "is ready" >> "$FERMATA_MACHINE_ALPHA_SERIAL0_LOG"']
                  - wait: {machine: alpha, serial: is (ready|up), timeout: 2s}
                  - assert: {machine: alpha, serial: ready$}
                  - assert: {machine: alpha, no-serial: panic}
                  - suspend: end
                  - resume: {clock: at=2031-01-01T00:00:00Z}
                  - assert: {machine: alpha, between: [2031-01-01T00:00:00Z, 2031-01-01T01:00:00Z]}
                  - rewind: {to: end, discard: true}
                  - down

                """
            )
            let files = ["report.json", "junit.xml"].map { "\(lab.home.folder)/\($0)" }
            let run = try await lab.fermata("batch", file, "--report", files[0], "--junit", files[1])
            #expect(run.status == 1, "\(run)")
            let combinations = run.result["combinations"]?.arrayValue ?? []
            #expect(combinations.map { $0["outcome"]?.stringValue } == ["failed", "failed", "passed"], "\(run)")
            let silent = combinations.first?["steps"]?.arrayValue?.first { $0["outcome"]?.stringValue == "failed" }
            #expect(silent?["line"]?.int64Value == 8, "\(run)")
            #expect(silent?["message"]?.stringValue == "nothing at all came from alpha within 2s")
            let bad = combinations.dropFirst().first?["steps"]?.arrayValue?.first {
                $0["outcome"]?.stringValue == "failed"
            }
            #expect(bad?["message"]?.stringValue == "it ended with 5, and should end with 0")
            #expect(bad?["output"]?.stringValue?.contains("it is bad") ?? false)
            let report = try JSONValue(parsing: String(contentsOfFile: files[0], encoding: .utf8))
            #expect(report["combinations"] == run.result["combinations"])
            let junit = try String(contentsOfFile: files[1], encoding: .utf8)
            #expect(junit.contains("<testsuite name=\"night\" tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\""))
            #expect(BatchLab.traces(lab).isEmpty)
        }
    }

    @Test func `killed with -9 nothing is left of it, and a resume goes on with what has no result`() async throws {
        try await BatchLab.with { lab in
            let text = """
                batch: night
                repeat: 3
                steps:
                  - up: \(FaultLab.name)@base
                  - exec: [sh, -c, 'echo ${{ repeat }} >> log']
                  - exec: [sh, -c, 'test ${{ repeat }} != 2 || while test -S $FERMATA_MACHINE_ALPHA_SERIAL0; do test -e go && exit; sleep 0.05; done']

                """
            let file = try lab.home.file("night.yaml", text)
            let said: @Sendable () -> String = {
                (try? String(contentsOfFile: "\(lab.home.folder)/log", encoding: .utf8)) ?? ""
            }
            let early = try await lab.fermata("batch", file, "--resume")
            #expect(early.status == 3 && early.codes == ["batch-not-begun"], "\(early)")
            let killed = try await lab.follow("batch", file) { command in
                try await FaultLab.wait(for: "the second combination") { said() == "1\n2\n" }
                let second = try await lab.fermata("batch", file)
                #expect(second.status == 3 && second.codes == ["batch-running"], "\(second)")
                kill(command.id, SIGKILL)
            }
            #expect(killed.status == -SIGKILL)
            try await FaultLab.wait(for: "the copy to end") { BatchLab.traces(lab).isEmpty }
            try await FaultLab.wait(for: "the lease to end") { FaultLab.contents("\(lab.home.path)/leases").isEmpty }
            _ = try lab.home.file("night.yaml", text + "# changed\n")
            let changed = try await lab.fermata("batch", file, "--resume")
            #expect(changed.status == 3 && changed.codes == ["batch-changed"], "\(changed)")
            #expect(changed.messages.contains("\(file) has changed"), "\(changed)")
            _ = try lab.home.file("night.yaml", text)
            _ = try lab.home.file("go", "")
            let resumed = try await lab.fermata("batch", file, "--resume")
            #expect(resumed.status == 0 && said() == "1\n2\n2\n3\n", "\(resumed)")
            #expect(resumed.result["combinations"]?.arrayValue?.count == 3)
            #expect(BatchLab.traces(lab).isEmpty)
            try await lab.expectWhole("base", "after the kill")
        }
    }

    @Test func `called off, what runs is ended, and it is no result`() async throws {
        try await BatchLab.with { lab in
            let file = try lab.home.file(
                "night.yaml",
                "batch: night\nsteps: [up: \(FaultLab.name)@base, exec: [sh, -c, 'touch begun; exec sleep 600']]\ntimeout: 1h\n"
            )
            let run = try await lab.follow("batch", file) { command in
                try await FaultLab.wait(for: "the command") {
                    FileManager.default.fileExists(atPath: "\(lab.home.folder)/begun")
                }
                kill(command.id, SIGTERM)
            }
            #expect(run.status == 130, "\(run)")
            #expect(run.result["combinations"]?.arrayValue?.map { $0["outcome"]?.stringValue } == ["skipped"])
            #expect(BatchLab.traces(lab).isEmpty)
        }
    }

    @Test func `what is prepared once is what all combinations begin with, beside each other`() async throws {
        try await BatchLab.with { lab in
            let manifest = try BatchLab.manifest(lab)
            let file = try lab.home.file(
                "night.yaml",
                """
                batch: night
                timeout: 2m
                matrix: {offset: [+1h, -1h]}
                prepare:
                  - up: \(manifest)
                  - exec: [sh, -c, 'echo prepared >> log']
                steps:
                  - up: {from: prepared, clock: '${{ offset }}'}
                  # Ends only when the other one is there, too.
                  - exec: [sh, -c, 'touch here.${{ offset }}; until test $(ls here.* | wc -l) = 2; do sleep 0.05; done']

                """
            )
            let run = try await lab.fermata("batch", file, "--parallel", "2")
            #expect(run.status == 0, "\(run)")
            #expect(run.result["prepare"]?["outcome"]?.stringValue == "passed")
            let said = try String(contentsOfFile: "\(lab.home.folder)/log", encoding: .utf8)
            #expect(said == "prepared\n")
            #expect(BatchLab.traces(lab).isEmpty)
        }
    }
}
