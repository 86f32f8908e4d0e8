import JSON
import Testing

/// Manifests are checked without a daemon; errors come with line and column.
@Suite struct CLIManifestTests {
    @Test(arguments: [
        ("simulation: lab\nmachines: [\n", "3:"),
        ("simulation: lab\nmachines:\n  a: {arch: x86_64, memry: 64M}\n", "3:"),
        ("simulation: Lab!\nmachines:\n  a: {arch: x86_64}\n", "1:13"), ("machines: 5\n", "1:"), ("", "1:1"),
        ("simulation: lab\nmachines:\n  a: {arch: x86_64, kernel: not-there}\n", "3:"),
    ])
    func `a wrong manifest ends with 2 and says where`(_ text: String, _ place: String) async throws {
        try await CLIHome.with { home in
            let file = try home.file("lab.yaml", text)
            for verb in ["validate", "up"] {
                let run = try await CLIRun.fermata([verb, file], in: home)
                #expect(run.status == 2, "\(run.errors)")
                #expect(run.errors.contains("lab.yaml:\(place)"), "\(run.errors)")
            }
            #expect(home.daemon == nil)
        }
    }

    @Test func `a manifest that is not there is named`() async throws {
        try await CLIHome.with { home in
            for arguments in [["validate", "none.yaml"], ["up", "none.yaml", "--json"]] {
                let run = try await CLIRun.fermata(arguments, in: home)
                #expect(run.status == 2)
                #expect(run.errors.contains("none.yaml"))
            }
        }
    }

    @Test func `a right manifest is summed up, and with --json told with everything filled in`() async throws {
        try await CLIHome.with { home in
            let file = try home.file(
                "lab.yaml",
                "simulation: lab\nmachines:\n  a: {arch: x86_64, machine: pc}\n  b: {arch: x86_64, machine: pc}\n"
            )
            let run = try await CLIRun.fermata(["validate", file], in: home)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("lab, 2 machines, 0 links"))
            let json = try JSONValue(parsing: try await CLIRun.fermata(["validate", file, "--json"], in: home).output)
            #expect(json["name"]?.stringValue == "lab")
            #expect(json["machines"]?.arrayValue?.count == 2)
        }
    }

    @Test func `the schema is a JSON object`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["schema"], in: home)
            #expect(run.status == 0)
            #expect(try JSONValue(parsing: run.output)["$schema"] != nil)
        }
    }
}
