import JSON
import Testing

/// What somebody gets who mistypes: what is wrong, exit code 2, and nothing is started for it.
@Suite struct CLIUsageTests {
    @Test(
        arguments: [
            (["suspen", "lab"], "Did you mean 'suspend'?"), (["fly"], "there is no verb 'fly'"),
            (["suspend"], "sim[@name]"), (["suspend", "lab", "--in"], "Missing value"),
            (["suspend", "lab", "--in", "3"], "no unit"), (["suspend", "lab", "--in", "-5s"], "before now"),
            (["help", "frob"], "there is no verb 'frob'"), (["help", "suspen"], "Did you mean 'suspend'?"),
            (["resume", "lab@a", "--dry-run", "--host", "a=b"], "leave one of them out"),
            (["forget", "lab@a"], "without '@a'"), (["gc", "--all"], "--keep"),
            (["export", "lab@a", "/tmp"], "is a folder"),
            (["agent", "--files", "/nowhere"], "--files: /nowhere cannot be used"),
            (["agent", "--qemu", "/nowhere/"], "--qemu: /nowhere/ cannot be used"),
            (["agent", "--qemu", "/usr/bin"], "end it in '/'"), (["agent", "--qemu", "/etc/passwd"], "no program"),
            (["suspend", "lab", "--in", "1s", "--at", "2030-01-01T00:00:00Z"], "not both"),
            (["suspend", "lab", "--at", "tomorrow"], "does not begin with a date"),
            (["suspend", "lab@a", "--as", "b"], "once"), (["suspend", "Lab"], "Lab"),
            (["suspend", "lab@../x"], "lab@../x"),
            (["resume", "lab", "--clock", "sideways"], "sideways"), (["resume", "lab", "--clock", "-"], "-"),
            (["resume", "lab", "--clock-scope", "some"], "rtc or all"),
            (["rewind", "lab"], "lab@NAME"), (["rewind", "lab@a", "--as", "b", "--discard"], "not both"),
            (["rewind", "lab@a", "--as", "../b"], "cannot be the name"),
            (["clone", "lab", "--as", "b"], "lab@NAME"), (["clone", "lab@a"], "--as"),
            (["clone", "lab@a", "--as", "B"], "cannot be the name"),
            (["clone", "lab@a", "--as", "b", "--count", "0"], "1 to 100"),
            (["clone", "lab@a", "--as", "b", "--count", "101"], "1 to 100"),
            (["run", "lab@a"], "after '--'"), (["run", "lab.yaml", "--clock", "+1h", "--", "true"], "for checkpoints"),
            (["run", "lab@a", "--as", "B", "--", "true"], "cannot be the name"),
            (["up", "lab.yaml", "--as", "B"], "cannot be the name"),
            (["label", "lab", "a=b"], "lab@NAME"), (["label", "lab@a"], "change"), (["label", "lab@a", "b"], "key-"),
            (["suspend", "lab", "--label", "=x"], "key=value"), (["note", "lab@a"], "text"),
            (["gc", "lab@a"], "without '@a'"), (["gc", "--keep", "-1"], "keep"),
            (["gc", "--older-than", "7"], "no unit"),
            (["clock", "lab", "--clock", "+1h"], "lab@NAME"), (["clock", "lab@a", "--as", "b"], "--clock"),
            (["clock", "lab@a", "--no-pause"], "without any pause"), (["rm", "lab"], "lab@NAME"),
            (["verify", "lab"], "lab@NAME"), (["export", "lab"], "lab@NAME"),
            (["import", "x", "--as", "Lab"], "Lab"),
            (["import", "x", "--qemu", "qemu-system-x86_64"], "absolute path"),
            (["down", "lab@a"], "without '@a'"), (["ps", "--control", "relative"], "absolute path"),
            (["ps", "--bogus"], "--bogus"), (["serve", "--socket", "x"], "absolute"),
            (["serve", "--log-level", "loud"], "debug"),
        ] as [([String], String)]
    )
    func `wrong usage ends with 2, says what is wrong, and starts no daemon`(_ arguments: [String], _ said: String)
        async throws
    {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(arguments, in: home)
            #expect(run.status == 2)
            #expect(run.errors.contains(said), "\(run.errors)")
            #expect(run.output.isEmpty)
            #expect(home.daemon == nil)
        }
    }

    @Test func `with --json wrong usage is also an object, with the exit code in it`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["suspend", "lab", "--in", "3", "--json"], in: home)
            #expect(run.status == 2)
            let object = try JSONValue(parsing: run.output)
            #expect(object["event"]?.stringValue == "result")
            #expect(object["exitCode"]?.int64Value == 2)
            #expect(object["code"]?.stringValue == "usage")
        }
    }

    @Test(arguments: [["--help"], [], ["help", "resume"], ["suspend", "--help"], ["--version"]])
    func `help and version end with 0`(_ arguments: [String]) async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(arguments, in: home)
            #expect(run.status == 0)
            #expect(!run.output.isEmpty)
            if arguments == ["--help"] { #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 }) }
        }
    }

    @Test func `a quota that is no size is told by the daemon that reads it`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["serve"], in: home, environment: ["FERMATA_QUOTA": "lots"])
            #expect(run.status == 2 && run.errors.contains("FERMATA_QUOTA is 'lots'"), "\(run.errors)")
        }
    }

    @Test func `without a folder for its state it says what to set`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["ps"], in: home, environment: ["HOME": "", "FERMATA_HOME": ""])
            #expect(run.status == 2)
            #expect(run.errors.contains("FERMATA_HOME"))
        }
    }
}
