import JSON
import Testing

/// The way to the web console, by the command line.
@Suite struct CLIConsoleTests {
    @Test func `a link is printed, each time another, of the same port`() async throws {
        try await CLIHome.with { home in
            let first = try await CLIRun.fermata(["console"], in: home)
            #expect(first.status == 0, "\(first.errors)")
            let link = try #require(first.outputLines.first)
            let second = try await CLIRun.fermata(["console", "--json"], in: home)
            let answer = try JSONValue(parsing: second.output)
            let port = try #require(answer["port"]?.int64Value)
            #expect(link.hasPrefix("http://127.0.0.1:\(port)/enter?token="))
            #expect(answer["url"]?.stringValue?.hasPrefix("http://127.0.0.1:\(port)/enter?token=") == true)
            #expect(answer["url"]?.stringValue != link)
            // The log is for longer than a link, and for others' eyes.
            #expect(!home.log.contains("token="))
        }
    }

    @Test func `a daemon without a console says so`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["console"], in: home, environment: ["FERMATA_CONSOLE": "off"])
            #expect(run.status == 3)
            #expect(run.errors.contains("FERMATA_CONSOLE"), "\(run.errors)")
        }
    }

    @Test(arguments: ["on", "-1", "65536", "0x50", "8080 "])
    func `what is no port is refused before the daemon begins`(_ text: String) async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["serve"], in: home, environment: ["FERMATA_CONSOLE": text])
            #expect(run.status == 2)
            #expect(run.errors.contains("'\(text)'"), "\(run.errors)")
        }
    }
}
