import JSON
import Testing

/// `fermata serial`, from events as a daemon tells them.
@Suite struct CLISerialTests {
    private static let path = "/v1/simulations/lab/machines/bmc/serial"
    private static let lost = """
        event: state
        data: {"state":"lost","message":"lab/bmc: host far cannot be reached","reasons":[{"code":"host-unreachable","message":"x"}]}


        """
    private static let ended = """
        event: state
        data: {"state":"ended","message":"lab/bmc: there is no such simulation any more","reasons":[]}


        """

    private static func with(
        _ parts: [String],
        status: Int = 200,
        path: String = path,
        cutsOff: Bool = false,
        _ body: (CLIHome, ScriptedDaemon) async throws -> Void
    ) async throws {
        try await CLIHome.with { home in
            let script = ScriptedDaemon.Script(path: path, status: status, parts: parts, cutsOff: cutsOff)
            let daemon = try ScriptedDaemon(at: "\(home.folder)/s", [script])
            defer { daemon.stop() }
            try await body(home, daemon)
        }
    }

    @Test func `what the guest says comes as it is, and what befalls it in words beside it`() async throws {
        // Cut where no event ends.
        let parts = [
            "id: 106\nevent: output\nda", "ta: bG9naW46\n\n:\n\n", Self.lost, "id: 108\nevent: output\ndata: IEE=\n\n",
            Self.ended,
        ]
        try await Self.with(parts) { home, daemon in
            let people = try await CLIRun.fermata(
                ["serial", "lab", "bmc", "--from", "100", "--control", daemon.socket],
                in: home
            )
            #expect(people.status == 0, "\(people.errors)")
            #expect(people.output == "login: A")
            #expect(
                people.errors.contains("host far cannot be reached") && people.errors.contains("no such simulation")
            )
            #expect(daemon.values(of: "Last-Event-ID") == ["100"])

            let program = try await CLIRun.fermata(
                ["serial", "lab", "bmc", "--json", "--control", daemon.socket],
                in: home
            )
            #expect(program.status == 0 && program.errors.isEmpty, "\(program.errors)")
            let lines = try program.outputLines.map { try JSONValue(parsing: $0) }
            #expect(lines.map { $0["event"]?.stringValue } == ["output", "state", "output", "state"])
            #expect(lines.compactMap { $0["end"]?.int64Value } == [106, 108])
            #expect(lines[0]["base64"]?.stringValue == "bG9naW46")
            #expect(lines.compactMap { $0["state"]?.stringValue } == ["lost", "ended"])
            #expect(daemon.values(of: "Last-Event-ID") == ["100"])
        }
    }

    @Test func `a daemon that goes away is told`() async throws {
        try await Self.with(["id: 1\nevent: output\ndata: QQ==\n\n"]) { home, daemon in
            let run = try await CLIRun.fermata(["serial", "lab", "bmc", "--control", daemon.socket], in: home)
            #expect(run.status == 1 && run.output == "A")
            #expect(run.errors.contains("the control instance ended"))
        }
    }

    @Test func `what is typed goes to the port that was named`() async throws {
        try await Self.with([""], path: "\(Self.path)?port=2") { home, daemon in
            let run = try await CLIRun.fermata(
                ["serial", "lab", "bmc", "--port", "2", "--send", "root\n", "--control", daemon.socket],
                in: home
            )
            #expect(run.status == 0 && run.output.isEmpty && run.errors.isEmpty, "\(run.errors)")
            #expect(daemon.requests.last == "\(Self.path)?port=2")
        }
    }

    @Test func `a refusal has its reason and its exit code`() async throws {
        let problem = "{\"code\":\"serial-missing\",\"detail\":\"lab/bmc has no serial port\",\"exitCode\":3}"
        try await Self.with([problem], status: 409) { home, daemon in
            let run = try await CLIRun.fermata(["serial", "lab", "bmc", "--control", daemon.socket], in: home)
            #expect(run.status == 3 && run.errors.contains("has no serial port"))
        }
    }

    @Test(
        arguments: [
            ["lab@s1", "bmc"], ["lab", "../bmc"], ["lab"], ["lab", "bmc", "--port", "256"],
            ["lab", "bmc", "--send", "x", "--from", "3"],
        ]
    )
    func `what cannot be meant is wrong usage`(_ words: [String]) async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["serial"] + words, in: home)
            #expect(run.status == 2, "\(run.errors)")
        }
    }
}
