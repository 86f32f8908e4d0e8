import FoundationEssentials
import Testing

/// docs/cli.md is what `--help` says.
@Suite struct CLIReferenceTests {
    private static let verbs = [
        "up", "suspend", "checkpoint", "resume", "rewind", "clone", "run", "batch", "down", "ps", "log", "show",
        "serial", "label", "note",
        "clock", "verify", "export", "import", "rm", "gc", "forget", "adopt", "inspect", "validate", "schema", "doctor",
        "host", "pki", "token",
        "agent", "serve", "console",
    ]

    /// With `FERMATA_WRITE_DOCS` set it writes the page instead.
    @Test func `the reference page is what the program says of itself`() async throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/cli.md")
        try await CLIHome.with { home in
            let general = try await CLIRun.fermata(["--help"], in: home).output
            var text =
                "# The command line\n\nWhat `fermata --help` and `fermata help VERB` say.\n\n```text\n\(general)```\n"
            for verb in Self.verbs {
                #expect(general.contains("\n  \(verb) "), "\(verb) is no verb")
                let help = try await CLIRun.fermata(["help", verb], in: home).output
                text += "\n## \(verb)\n\n```text\n\(help)```\n"
                for part in Self.subcommands(in: help) {
                    let help = try await CLIRun.fermata(["help", verb, part], in: home).output
                    text += "\n### \(verb) \(part)\n\n```text\n\(help)```\n"
                }
            }
            if ProcessInfo.processInfo.environment["FERMATA_WRITE_DOCS"] != nil {
                try Data(text.utf8).write(to: page)
            }
            let written = try String(contentsOf: page, encoding: .utf8)
            #expect(written == text, "run this test once with FERMATA_WRITE_DOCS=1")
        }
    }

    /// The names that begin a line of a help's last part.
    private static func subcommands(in help: String) -> [String] {
        let lines = help.split(separator: "\n").drop { $0 != "SUBCOMMANDS:" }
        return lines.compactMap { line in
            guard line.hasPrefix("  "), let first = line.dropFirst(2).first, first.isLetter, first.isLowercase else {
                return nil
            }
            return line.dropFirst(2).prefix { $0 != " " }.description
        }
    }
}
