import Glibc
import JSON
import Testing

/// What the command line makes of each way in which an operation can end, and of daemons that do not keep to the rules.
@Suite struct CLIOutcomeTests {
    private static let started = ScriptedDaemon.Script(
        path: "/v1/simulations/lab/suspend",
        status: 202,
        parts: ["{\"operation\":\"op1\",\"events\":\"/v1/operations/op1/events\"}"]
    )

    private static let preparing = "{\"event\":\"phase\",\"operation\":\"op1\",\"phase\":\"preparing\"}\n"

    private static func result(_ outcome: String, _ exitCode: Int, machines: String = "", reasons: String = "")
        -> String
    {
        """
        {"event":"result","operation":"op1","kind":"suspend","simulation":"lab","checkpoint":"s1","outcome":"\(outcome)",\
        "exitCode":\(exitCode),"reasons":[\(reasons)],"machines":[\(machines)],"stages":[],"notes":[],"startedNs":1,\
        "deadlineNs":1700000000000000000,"spreadNs":31000,"clockErrorBoundNs":0,"futureField":{"x":1}}

        """
    }

    private static let reasons = """
        {"code":"machine-not-running","machine":"alpha","message":"it is paused"},\
        {"code":"no-space","message":"the disk is full"}
        """

    private static func with(
        _ scripts: [ScriptedDaemon.Script],
        version: String = "0.1.0",
        _ body: (CLIHome, ScriptedDaemon) async throws -> Void
    ) async throws {
        try await CLIHome.with { home in
            let daemon = try ScriptedDaemon(at: "\(home.folder)/s", version: version, scripts)
            defer { daemon.stop() }
            try await body(home, daemon)
        }
    }

    private static func events(_ parts: String..., cutsOff: Bool = false, waitsFor: String? = nil)
        -> ScriptedDaemon.Script
    {
        ScriptedDaemon.Script(
            path: "/v1/operations/op1/events",
            status: 200,
            parts: parts,
            cutsOff: cutsOff,
            waitsFor: waitsFor
        )
    }

    @Test func `a request whose answer is lost is sent again with its key, and each verb has a key of its own`()
        async throws
    {
        let cut = ScriptedDaemon.Script(path: Self.started.path, status: 202, parts: ["{\"operation"], cutsOff: true)
        try await Self.with([cut]) { home, daemon in
            for _ in 0..<2 {
                let run = try await CLIRun.fermata(["suspend", "lab", "--control", "unix:\(daemon.socket)"], in: home)
                #expect(run.status == 1)
                #expect(run.errors.contains("cannot be reached"), "\(run.errors)")
            }
            let keys = daemon.values(of: "Idempotency-Key")
            #expect(keys.count == 8 && Set(keys).count == 2 && Set(keys[..<4]).count == 1, "\(keys)")
        }
    }

    @Test(
        arguments: [
            ("failed", 1), ("refused", 3), ("missed", 4), ("unknown", 5), ("corrupt", 6), ("unsynchronised", 7),
            ("cancelled", 130),
        ] as [(String, Int)]
    )
    func `each bad end has its exit code, and every reason is told`(_ outcome: String, _ exitCode: Int) async throws {
        let result = Self.result(outcome, exitCode, reasons: Self.reasons)
        try await Self.with([Self.started, Self.events(Self.preparing, result)]) { home, daemon in
            let people = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket], in: home)
            #expect(people.status == Int32(exitCode))
            #expect(people.output.isEmpty)
            #expect(people.errors.contains("alpha: it is paused"))
            #expect(people.errors.contains("the disk is full"))
            let program = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket, "--json"], in: home)
            #expect(program.status == Int32(exitCode))
            #expect(program.errors.isEmpty)
            let last = try JSONValue(parsing: program.outputLines.last ?? "")
            #expect(last["event"]?.stringValue == "result")
            #expect(last["outcome"]?.stringValue == outcome)
            #expect(last["exitCode"]?.int64Value == Int64(exitCode))
        }
    }

    @Test func `a good end is a report for people, and the daemon's own lines for programs`() async throws {
        let machine = """
            {"name":"alpha","host":"here","stoppedAtNs":1700000000000104200,"latenessNs":104200,"stages":[],"notes":["a note"],\
            "ram":{"way":"stream","bytes":34603008},"clock":{"atNs":1700000000000104200,"rtcNs":1600000000000000000,\
            "virtualNs":12345678000,"readings":[]}}
            """
        let second = machine.replacing("alpha", with: "beta")
        let result = Self.result("done", 0, machines: "\(machine),\(second)")
        try await Self.with([Self.started, Self.events(Self.preparing, result)]) { home, daemon in
            let people = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket], in: home)
            #expect(people.status == 0, "\(people.errors)")
            for expected in [
                "lab@s1", "2023-11-14 22:13:20.000000 UTC", "22:13:20.000104", "+104.2 µs", "stream, 33.0 MiB",
                "2020-09-13 12:26:40.000", "12.345678 s", "31.0 µs", "alpha: a note", "fermata resume lab",
            ] {
                #expect(people.output.contains(expected), "\(expected) is not in:\n\(people.output)")
            }
            #expect(!people.output.contains("\u{1B}"), "no styles where it is no terminal")
            let program = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket, "--json"], in: home)
            #expect(program.outputLines.count == 2)
            #expect(program.outputLines.last?.contains("\"futureField\":{\"x\":1}") == true)
        }
    }

    @Test func `a refusal before the operation begins is told with its exit code`() async throws {
        let problem = """
            {"type":"about:blank","title":"Conflict","status":409,"code":"busy","detail":"lab is busy","reasons":[],"exitCode":3}
            """
        let refusal = ScriptedDaemon.Script(path: "/suspend", status: 409, parts: [problem])
        try await Self.with([refusal]) { home, daemon in
            let run = try await CLIRun.fermata(["suspend", "lab", "--json", "--control", daemon.socket], in: home)
            #expect(run.status == 3)
            #expect(try JSONValue(parsing: run.output)["code"]?.stringValue == "busy")
        }
    }

    @Test(arguments: [true, false])
    func `a daemon that goes away in the middle leaves the outcome unknown`(_ cutsOff: Bool) async throws {
        try await Self.with([Self.started, Self.events(Self.preparing, cutsOff: cutsOff)]) { home, daemon in
            let run = try await CLIRun.fermata(["suspend", "lab", "--json", "--control", daemon.socket], in: home)
            #expect(run.status == 5)
            let last = try JSONValue(parsing: run.outputLines.last ?? "")
            #expect(last["code"]?.stringValue == "daemon-lost")
            #expect(run.errors.contains("op1"))
        }
    }

    @Test func `ctrl-C calls the operation off, and the result says whether it still could`() async throws {
        let cancelled = Self.result("cancelled", 130)
        let cancel = ScriptedDaemon.Script(
            path: "/v1/operations/op1/cancel",
            status: 202,
            parts: ["{\"accepted\":true}"]
        )
        let events = Self.events(Self.preparing, cancelled, waitsFor: "/cancel")
        try await Self.with([Self.started, events, cancel]) { home, daemon in
            let run = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket], in: home) { process in
                for _ in 0..<3_000 where !daemon.requests.contains(where: { $0.hasSuffix("/events") }) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                try await Task.sleep(for: .milliseconds(100))
                #expect(kill(process, SIGINT) == 0)
            }
            #expect(run.status == 130)
            #expect(daemon.requests.contains { $0.hasSuffix("/cancel") })
            #expect(run.errors.contains("cancelling"))
        }
    }

    @Test func `a second ctrl-C leaves the operation to the daemon`() async throws {
        let cancel = ScriptedDaemon.Script(
            path: "/v1/operations/op1/cancel",
            status: 202,
            parts: ["{\"accepted\":true}"]
        )
        let events = Self.events(Self.preparing, Self.result("done", 0), waitsFor: "/never")
        try await Self.with([Self.started, events, cancel]) { home, daemon in
            let run = try await CLIRun.fermata(["suspend", "lab", "--control", daemon.socket], in: home) { process in
                for path in ["/events", "/cancel"] {
                    for _ in 0..<3_000 where !daemon.requests.contains(where: { $0.hasSuffix(path) }) {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(kill(process, SIGINT) == 0)
                }
            }
            #expect(run.status == 130)
            #expect(run.errors.contains("no longer waiting; the daemon calls the suspend"))
        }
    }

    @Test(arguments: ["not JSON", "{}", "[1,2]", ""])
    func `an answer that makes no sense is told, not believed`(_ body: String) async throws {
        let answer = ScriptedDaemon.Script(path: "/v1/simulations", status: 200, parts: body.isEmpty ? [] : [body])
        try await Self.with([answer]) { home, daemon in
            let run = try await CLIRun.fermata(["ps", "--control", daemon.socket], in: home)
            #expect(run.status == 1)
            #expect(run.errors.contains("not understood"))
        }
    }

    @Test func `a server that is not fermata's is told so`() async throws {
        let answer = ScriptedDaemon.Script(path: "/v1/simulations", status: 404, parts: ["<html>"])
        try await Self.with([answer]) { home, daemon in
            let run = try await CLIRun.fermata(["ps", "--control", daemon.socket], in: home)
            #expect(run.status == 1)
            #expect(run.errors.contains("404"))
        }
    }

    @Test func `a daemon of another version is told`() async throws {
        let answer = ScriptedDaemon.Script(path: "/v1/simulations", status: 200, parts: ["{\"simulations\":[]}"])
        try await Self.with([answer], version: "9.9.9") { home, daemon in
            let run = try await CLIRun.fermata(["ps", "--control", daemon.socket], in: home)
            #expect(run.status == 0)
            #expect(run.errors.contains("9.9.9"))
        }
    }
}
