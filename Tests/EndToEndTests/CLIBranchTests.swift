import JSON
import Testing

/// What the command line makes of rewinds and of several clones at once.
@Suite struct CLIBranchTests {
    private static func result(_ simulation: String, _ operation: String, _ outcome: String, _ rest: String) -> String {
        """
        {"event":"result","operation":"\(operation)","kind":"resume","simulation":"\(simulation)","outcome":"\(outcome)",\
        "machines":[],"stages":[],"startedNs":1,"deadlineNs":1700000000000000000,"spreadNs":1,"clockErrorBoundNs":0,\(rest)}

        """
    }

    private static func events(_ operation: String, _ result: String) -> ScriptedDaemon.Script {
        ScriptedDaemon.Script(path: "/v1/operations/\(operation)/events", status: 200, parts: [result])
    }

    private static func with(
        _ scripts: [ScriptedDaemon.Script],
        _ body: (CLIHome, ScriptedDaemon) async throws -> Void
    ) async throws {
        try await CLIHome.with { home in
            let daemon = try ScriptedDaemon(at: "\(home.folder)/s", scripts)
            defer { daemon.stop() }
            try await body(home, daemon)
        }
    }

    @Test func `each clone's end is told, and the exit code is that of the worst`() async throws {
        let origin = #""origin":{"simulation":"lab","checkpoint":"s1","id":"i"}"#
        let reason = #"[{"code":"no-space","machine":"alpha","message":"the disk is full"}]"#
        let clones = ["op1", "op2", "op3"].enumerated().map { index, operation in
            #"{"simulation":"two-\#(index + 1)","operation":"\#(operation)","events":"/v1/operations/\#(operation)/events"}"#
        }
        let started = ScriptedDaemon.Script(
            path: "/v1/simulations/lab/checkpoints/s1/clone",
            status: 202,
            parts: [#"{"clones":[\#(clones.joined(separator: ","))]}"#]
        )
        let done = Self.result("two-1", "op1", "done", "\(origin),\"exitCode\":0,\"reasons\":[],\"notes\":[\"a note\"]")
        let bad = "\(origin),\"reasons\":\(reason),\"notes\":[],\"exitCode\""
        let refused = Self.result("two-2", "op2", "refused", "\(bad):3")
        let failed = Self.result("two-3", "op3", "failed", "\(bad):1")
        let scripts = [
            started, Self.events("op1", done), Self.events("op2", refused), Self.events("op3", failed),
        ]
        try await Self.with(scripts) { home, daemon in
            let arguments = ["clone", "lab@s1", "--as", "two", "--count", "3", "--control", daemon.socket]
            let people = try await CLIRun.fermata(arguments, in: home)
            #expect(people.status == 1)
            #expect(people.output.contains("two-1 runs") && people.output.contains("note: a note"), "\(people.output)")
            #expect(people.errors.contains("clone two-2 from lab@s1 refused"), "\(people.errors)")
            #expect(people.errors.contains("clone two-3 from lab@s1 failed"), "\(people.errors)")
            #expect(people.errors.contains("alpha: the disk is full"))
            let program = try await CLIRun.fermata(arguments + ["--json"], in: home)
            #expect(program.status == 1 && program.outputLines.count == 4)
            let last = try JSONValue(parsing: program.outputLines.last ?? "")
            #expect(last["event"]?.stringValue == "result" && last["exitCode"]?.int64Value == 1)
            let outcomes = last["clones"]?.arrayValue?.map { $0["outcome"]?.stringValue }
            #expect(outcomes == ["done", "refused", "failed"])
        }
    }

    @Test func `a rewind says what it has kept, also when it does not come to its end`() async throws {
        let started = ScriptedDaemon.Script(
            path: "/v1/simulations/lab/rewind",
            status: 202,
            parts: [#"{"operation":"op1","events":"/v1/operations/op1/events"}"#]
        )
        let kept = #""checkpoint":"s1","kept":"s2","notes":[]"#
        let done = Self.result("lab", "op1", "done", #"\#(kept),"exitCode":0,"reasons":[]"#)
        try await Self.with([started, Self.events("op1", done)]) { home, daemon in
            let run = try await CLIRun.fermata(["rewind", "lab@s1", "--control", daemon.socket], in: home)
            #expect(run.status == 0)
            #expect(run.output.contains("lab resumed from lab@s1") && run.output.contains("kept as lab@s2"))
        }
        let reasons = #"[{"code":"rewind-incomplete","message":"go on"},{"code":"load-failed","message":"no"}]"#
        let failed = Self.result("lab", "op1", "failed", #"\#(kept),"exitCode":1,"reasons":\#(reasons)"#)
        try await Self.with([started, Self.events("op1", failed)]) { home, daemon in
            let run = try await CLIRun.fermata(["rewind", "lab@s1", "--control", daemon.socket], in: home)
            #expect(run.status == 1 && run.errors.contains("- go on") && run.errors.contains("- no"))
            #expect(!run.errors.contains("everything is as before"), "\(run.errors)")
        }
    }

    private static func checkpoint(_ name: String, _ number: Int, _ parent: String?, _ rest: String = "") -> String {
        let parent = parent.map { #""parent":"\#($0)","# } ?? ""
        return """
            {"id":"i\(number)","simulation":"lab","checkpoint":"\(name)",\(parent)"instantNs":\(number),"createdNs":\(number),\
            "machines":["a"],"bytes":\(number),\(rest)"current":\(name == "e"),"sealed":true,"labels":{}}
            """
    }

    @Test func `the graph draws each branch in a column of its own`() async throws {
        let origin = #""origin":{"simulation":"old","checkpoint":"x","id":"o"},"#
        let tree = [
            Self.checkpoint("a", 1, nil, origin), Self.checkpoint("b", 2, "a"), Self.checkpoint("c", 3, "a"),
            Self.checkpoint("d", 4, "b"), Self.checkpoint("e", 5, "a"), Self.checkpoint("f", 6, "d"),
            Self.checkpoint("g", 7, "d"), Self.checkpoint("h", 8, nil), Self.checkpoint("i", 9, "e"),
        ]
        let log = ScriptedDaemon.Script(
            path: "/v1/simulations/lab/checkpoints",
            status: 200,
            parts: [#"{"simulation":"lab","checkpoints":[\#(tree.joined(separator: ","))]}"#]
        )
        let clone = #"{"simulation":"two","state":"running","machines":[],"createdNs":1,"origin":"#
        let own = #"{"simulation":"lab","state":"suspended","machines":[],"createdNs":1}"#
        let simulations = ScriptedDaemon.Script(
            path: "/v1/simulations",
            status: 200,
            parts: [#"{"simulations":[\#(own),\#(clone){"simulation":"lab","checkpoint":"d","id":"i4"}}]}"#]
        )
        try await Self.with([log, simulations]) { home, daemon in
            let run = try await CLIRun.fermata(["log", "lab", "--graph", "--control", daemon.socket], in: home)
            #expect(run.status == 0, "\(run.errors)")
            let drawing = run.outputLines.map { String($0.prefix(8)) }
            let expected = [
                "*      a", "|-.-.", "* | |  b", "| * |  c", "*   |  d", "|-. |", "| | @  e", "* | |  f", "  * |  g",
                "*   |  h", "    *  i",
            ]
            #expect(drawing == expected, "\(run.output)")
            #expect(run.outputLines.first?.contains("from old@x") == true)
            #expect(run.outputLines.first { $0.contains("  e  ") }?.hasSuffix("<- lab, suspended") == true)
            #expect(run.outputLines.first { $0.contains("  d  ") }?.hasSuffix("-> two") == true)
        }
    }
}
