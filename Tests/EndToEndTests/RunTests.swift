import FoundationEssentials
import Glibc
import JSON
import Testing

/// `fermata run`: a command beside a copy of two real machines, and nothing of them left.
@Suite struct RunTests {
    /// `flab@base` is there, and `flab` suspended to it.
    private static func with(_ body: @Sendable (FaultLab) async throws -> Void) async throws {
        try await FaultLab.with(FaultLab.Bed(ram: "file")) { lab in
            try await lab.done("up", try simpleManifest(lab))
            try await lab.done("suspend", "\(FaultLab.name)@base", "--sealed")
            try await body(lab)
        }
    }

    /// Without second monitors, whose sockets copies would share.
    private static func simpleManifest(_ lab: FaultLab) throws -> String {
        try lab.home.file(
            "lab.yaml",
            """
            simulation: \(FaultLab.name)
            machines:
              alpha: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M, ram: file}
              beta: {qemu: \(lab.bed.qemu.path), machine: pc, memory: 32M, ram: file}
            links:
              - {name: lan, kind: dgram, between: [alpha, beta]}

            """
        )
    }

    private static func simulations(_ lab: FaultLab) async throws -> [String] {
        let answer = try await lab.done("ps").result["simulations"]?.arrayValue ?? []
        return answer.compactMap { $0["simulation"]?.stringValue }
    }

    /// What a copy of that name has anywhere in the state folder, and its QEMUs.
    private static func traces(of copy: String, _ lab: FaultLab) -> [String] {
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: lab.home.path)) ?? []
        return all.filter { path in path.split(separator: "/").contains { $0 == copy } }
            + qemus(copy, lab).map { "QEMU \($0)" }
    }

    private static func qemus(_ copy: String, _ lab: FaultLab) -> [String] {
        let mark = Array("\(lab.home.path)/machines/\(copy)/".utf8)
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { process in
            guard Int(process) != nil, let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else {
                return false
            }
            return line.firstRange(of: mark) != nil
        }
    }

    private static func run(_ lab: FaultLab, _ arguments: String...) async throws -> CLIRun {
        // A host that is too busy at an instant says so with 4, and has changed nothing.
        for _ in 0..<5 {
            let run = try await CLIRun.fermata(["run"] + arguments, in: lab.home)
            if run.status != 4 { return run }
        }
        throw CLIError("the host was too busy five times")
    }

    @Test func `a command has a copy of its own, is told where it is, and its exit code is what comes back`()
        async throws
    {
        try await Self.with { lab in
            let script = """
                echo "$FERMATA_SIMULATION $FERMATA_MACHINES" && test -S "$FERMATA_MACHINE_ALPHA_SERIAL0" \
                && test -e "$FERMATA_MACHINE_BETA_SERIAL0_LOG" && kill -0 "$FERMATA_MACHINE_ALPHA_PID" \
                && test "$FERMATA_HOME" = '\(lab.home.path)' && exit 9
                """
            let run = try await Self.run(lab, "\(FaultLab.name)@base", "--as", "copy", "--", "/bin/sh", "-c", script)
            #expect(run.status == 9 && run.output == "copy alpha beta\n", "\(run)")
            #expect(Self.traces(of: "copy", lab).isEmpty)
            #expect(try await Self.simulations(lab) == [FaultLab.name])
            #expect(try await lab.state() == "suspended")
            // Without a checkpoint's name, from where it is suspended; and found in PATH.
            let second = try await Self.run(lab, FaultLab.name, "--", "sh", "-c", "kill -TERM $$")
            #expect(second.status == 128 + SIGTERM, "\(second)")
            let third = try await Self.run(lab, try Self.simpleManifest(lab), "--", "printenv", "FERMATA_SIMULATION")
            #expect(third.status == 0 && third.output.hasPrefix("\(FaultLab.name)-run-"), "\(third)")
            #expect(try await Self.simulations(lab) == [FaultLab.name] && lab.qemus().isEmpty)
        }
    }

    @Test func `a command that is not there is found out before anything is started`() async throws {
        try await CLIHome.with { home in
            let none = try await CLIRun.fermata(["run", "lab@s1", "--", "no-such-command"], in: home)
            #expect(none.status == 127 && none.errors.contains("no command 'no-such-command'"), "\(none)")
            let noProgram = try home.file("text", "")
            let other = try await CLIRun.fermata(["run", "lab@s1", "--json", "--", noProgram], in: home)
            #expect(other.status == 126 && other.output.isEmpty, "\(other)")
            let object = try JSONValue(parsing: other.errors.split(separator: "\n").last.map(String.init) ?? "")
            #expect(object["code"]?.stringValue == "command-not-runnable" && object["exitCode"]?.int64Value == 126)
            #expect(home.daemon == nil)
        }
    }

    @Test func `what cannot be brought up is refused as by the verb that does it, and nothing is left`() async throws {
        try await Self.with { lab in
            let unknown = try await Self.run(lab, "\(FaultLab.name)@never", "--as", "copy", "--", "true")
            #expect(unknown.status == 1 && unknown.errors.contains("never"), "\(unknown)")
            let taken = try await Self.run(lab, "\(FaultLab.name)@base", "--as", FaultLab.name, "--", "true")
            #expect(taken.status == 3 && taken.errors.contains("is there already"), "\(taken)")
            try await lab.done("resume", FaultLab.name)
            let running = try await Self.run(lab, FaultLab.name, "--", "true")
            #expect(running.status == 3 && running.errors.contains("name the checkpoint"), "\(running)")
            #expect(Self.traces(of: "copy", lab).isEmpty)
            #expect(try await lab.state() == "running")
        }
    }

    @Test func `a copy whose command failed is kept when that is wanted, and goes on from there`() async throws {
        try await Self.with { lab in
            let script = "\(CLIRun.program) checkpoint copy@between > /dev/null; exit 8"
            let run = try await Self.run(
                lab,
                "\(FaultLab.name)@base",
                "--as",
                "copy",
                "--checkpoint-on-failure",
                "--",
                "sh",
                "-c",
                script
            )
            #expect(run.status == 8 && run.errors.contains("fermata resume copy@failed"), "\(run)")
            #expect(Self.qemus("copy", lab).isEmpty && FaultLab.contents("\(lab.home.path)/leases").isEmpty)
            #expect(FaultLab.contents("\(lab.home.path)/checkpoints/copy") == ["failed"])
            try await lab.done("resume", "copy@failed")
            #expect(Self.qemus("copy", lab).count == 2)
            try await lab.done("down", "copy")
            try await lab.done("rm", "copy@failed")
        }
    }

    @Test func `signals go on to the command`() async throws {
        try await Self.with { lab in
            let script = "trap 'exit 44' TERM; trap 'echo winch' WINCH; echo ready; while :; do sleep 0.05; done"
            let run = try await CLIRun.follow(
                ["run", "\(FaultLab.name)@base", "--as", "copy", "--", "sh", "-c", script],
                in: lab.home
            ) { command in
                let said = { (try? String(contentsOfFile: command.output, encoding: .utf8)) ?? "" }
                try await FaultLab.wait(for: "the command to begin") { said().contains("ready") }
                kill(command.id, SIGWINCH)
                try await FaultLab.wait(for: "SIGWINCH to arrive") { said().contains("winch") }
                kill(command.id, SIGTERM)
            }
            #expect(run.status == 44, "\(run)")
            #expect(Self.traces(of: "copy", lab).isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func `killed with -9, nothing is left of what it had started`(_ whileStarting: Bool) async throws {
        try await Self.with { lab in
            // The command lives on, and sees that what it was told of is gone.
            let script = "echo ready; while test -S $FERMATA_MACHINE_ALPHA_SERIAL0; do sleep 0.05; done"
            let run = try await CLIRun.follow(
                ["run", "\(FaultLab.name)@base", "--as", "copy", "--", "sh", "-c", script],
                in: lab.home
            ) { command in
                try await FaultLab.wait(for: "the copy to be there") {
                    let said = (try? String(contentsOfFile: command.output, encoding: .utf8)) ?? ""
                    return whileStarting ? !Self.qemus("copy", lab).isEmpty : said.contains("ready")
                }
                kill(command.id, SIGKILL)
            }
            #expect(run.status == -SIGKILL)
            try await FaultLab.wait(for: "the copy to end") { Self.traces(of: "copy", lab).isEmpty }
            try await FaultLab.wait(for: "the lease to end") { FaultLab.contents("\(lab.home.path)/leases").isEmpty }
            #expect(try await Self.simulations(lab) == [FaultLab.name])
            try await lab.expectWhole("base", "after the kill")
        }
    }

    @Test func `a daemon that is killed meanwhile changes nothing: the next one ends the copy with its command`()
        async throws
    {
        try await Self.with { lab in
            let go = "\(lab.home.folder)/go"
            let run = try await CLIRun.follow(
                [
                    "run", "\(FaultLab.name)@base", "--as", "copy", "--", "sh", "-c",
                    "echo ready; while ! test -e \(go); do sleep 0.05; done; exit 7",
                ],
                in: lab.home
            ) { command in
                try await FaultLab.wait(for: "the command to begin") {
                    ((try? String(contentsOfFile: command.output, encoding: .utf8)) ?? "").contains("ready")
                }
                try await lab.killDaemon()
                #expect(Self.qemus("copy", lab).count == 2)
                _ = try lab.home.file("go", "")
            }
            #expect(run.status == 7, "\(run)")
            #expect(Self.traces(of: "copy", lab).isEmpty)
        }
    }
}
