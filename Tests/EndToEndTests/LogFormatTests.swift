import FoundationEssentials
import Glibc
import JSON
import Testing

/// What the daemon writes to standard error.
@Suite struct LogFormatTests {
    @Test func `with the format json each line is an object, and an operation's id is in the lines of both roles`()
        async throws
    {
        try await CLIHome.with { home in
            let lab = try home.file(
                "lab.yaml",
                "simulation: lab\nmachines:\n  a: {arch: x86_64, machine: pc, memory: 32M}\n"
            )
            let serve = try await CLIRun.fermata(["serve", "--log-format", "json"], in: home) { process in
                for _ in 0..<3_000 where access(home.socket, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
                let up = try await CLIRun.fermata(["up", lab, "--at", "2020-01-01T00:00:00Z"], in: home)
                #expect(up.status == 3, "\(up.errors)")
                kill(process, SIGTERM)
            }
            #expect(serve.status == 0)
            let lines = try serve.errors.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            #expect(lines.allSatisfy { $0["time"] != nil && $0["level"] != nil && $0["message"] != nil }, "\(lines)")
            let ended = try #require(lines.first { $0["message"]?.stringValue == "operation ended" })
            let refused = try #require(lines.first { $0["message"]?.stringValue?.hasPrefix("refused: ") == true })
            #expect(ended["operation"]?.stringValue != nil && ended["operation"] == refused["operation"])
        }
    }

    @Test func `an unknown format is refused by name`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["serve", "--log-format", "xml"], in: home)
            #expect(run.status == 2)
            #expect(run.errors.contains("text") && run.errors.contains("json"), "\(run.errors)")
        }
    }
}
