import FoundationEssentials
import Glibc
import JSON
import Testing

/// The daemon starts by itself, once, and ends when told to.
@Suite struct CLIDaemonTests {
    @Test func `the first verb starts a daemon, later ones use it, and it ends when told to`() async throws {
        try await CLIHome.with { home in
            let first = try await CLIRun.fermata(["ps"], in: home)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.contains("fermata up"))
            let daemon = try #require(home.daemon)
            let second = try await CLIRun.fermata(["ps", "--json"], in: home)
            #expect(try JSONValue(parsing: second.output)["simulations"]?.arrayValue?.isEmpty == true)
            #expect(home.daemon == daemon)
            #expect(mode(home.path) == 0o700)
            #expect(mode(home.socket) == 0o600)
            let stop = try await CLIRun.fermata(["serve", "--stop"], in: home)
            #expect(stop.status == 0)
            // Whoever copies or removes the folder now has it alone.
            #expect(home.daemon == nil)
            #expect(access(home.socket, F_OK) != 0)
            #expect(access("\(home.path)/state.sqlite-wal", F_OK) != 0)
        }
    }

    @Test func `the daemon is in a session of its own, so that closing the terminal does not end it`() async throws {
        try await CLIHome.with { home in
            _ = try await CLIRun.fermata(["ps"], in: home)
            let daemon = try #require(home.daemon)
            #expect(getsid(daemon) == daemon)
        }
    }

    @Test func `the daemon may open as many files as a hundred machines take`() async throws {
        try await CLIHome.with { home in
            _ = try await CLIRun.fermata(["ps"], in: home)
            let daemon = try #require(home.daemon)
            let limits = try String(contentsOfFile: "/proc/\(daemon)/limits", encoding: .utf8)
            let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            let (soft, hard) = (try #require(numbers.first), try #require(numbers.last))
            #expect(soft >= min(numbers.count > 1 ? hard : 65_536, 65_536), "\(line)")
        }
    }

    @Test func `two verbs at once start one daemon`() async throws {
        try await CLIHome.with { home in
            let runs = try await withThrowingTaskGroup(of: CLIRun.self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await CLIRun.fermata(["ps", "--json"], in: home) } }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(runs.map(\.status) == [0, 0, 0, 0], "\(runs.map(\.errors))")
            #expect(home.log.split(separator: "\n").filter { $0.hasSuffix(" ready") }.count == 1)
            #expect(home.daemon != nil)
        }
    }

    @Test func `a daemon that was killed is replaced, its socket too`() async throws {
        try await CLIHome.with { home in
            _ = try await CLIRun.fermata(["ps"], in: home)
            let killed = try #require(home.daemon)
            #expect(kill(killed, SIGKILL) == 0)
            for _ in 0..<500 where home.daemon != nil { try await Task.sleep(for: .milliseconds(10)) }
            #expect(access(home.socket, F_OK) == 0)
            let run = try await CLIRun.fermata(["ps"], in: home)
            #expect(run.status == 0, "\(run.errors)")
            #expect(home.daemon != nil && home.daemon != killed)
        }
    }

    @Test func `a second daemon for the same folder is refused, and says which process has it`() async throws {
        try await CLIHome.with { home in
            _ = try await CLIRun.fermata(["ps"], in: home)
            let daemon = try #require(home.daemon)
            let run = try await CLIRun.fermata(["serve"], in: home)
            #expect(run.status == 1)
            #expect(run.errors.contains("process \(daemon)"), "\(run.errors)")
            #expect(home.daemon == daemon)
        }
    }

    @Test func `a daemon that cannot start is told with what its log says`() async throws {
        try await CLIHome.with { home in
            try FileManager.default.createDirectory(atPath: home.path, withIntermediateDirectories: true)
            // A folder where the database should be.
            try FileManager.default.createDirectory(
                atPath: "\(home.path)/state.sqlite",
                withIntermediateDirectories: true
            )
            let run = try await CLIRun.fermata(["ps", "--json"], in: home)
            #expect(run.status == 1)
            #expect(try JSONValue(parsing: run.output)["code"]?.stringValue == "daemon-start-failed")
            #expect(run.errors.contains("daemon.log"))
            #expect(run.errors.contains("state.sqlite"), "\(run.errors)")
        }
    }

    @Test func `a control instance that was named and is not there is an error; none is started`() async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(["ps", "--control", "unix:\(home.folder)/none"], in: home)
            #expect(run.status == 1)
            #expect(run.errors.contains("\(home.folder)/none"))
            let variable = try await CLIRun.fermata(
                ["ps"],
                in: home,
                environment: ["FERMATA_CONTROL": "\(home.folder)/no"]
            )
            #expect(variable.status == 1)
            #expect(home.daemon == nil)
        }
    }

    @Test func `a foreground daemon serves on the socket it is told, and ends with SIGTERM`() async throws {
        try await CLIHome.with { home in
            let socket = "\(home.folder)/s"
            let run = try await CLIRun.fermata(["serve", "--socket", socket], in: home) { process in
                for _ in 0..<2_000 where access(socket, F_OK) != 0 { try await Task.sleep(for: .milliseconds(10)) }
                let ps = try await CLIRun.fermata(["ps", "--control", "unix:\(socket)"], in: home)
                #expect(ps.status == 0, "\(ps.errors)")
                #expect(kill(process, SIGTERM) == 0)
            }
            #expect(run.status == 0)
            #expect(access(socket, F_OK) != 0)
        }
    }

    @Test func `a folder too long for a socket is told before anything is started`() async throws {
        try await CLIHome.with { home in
            let long = "\(home.folder)/\(String(repeating: "x", count: 100))"
            let run = try await CLIRun.fermata(["ps"], in: home, environment: ["FERMATA_HOME": long])
            #expect(run.status == 2)
            #expect(run.errors.contains("FERMATA_HOME"))
        }
    }

    @Test(arguments: [
        (["suspend", "lab"], "simulation-not-found"), (["resume", "lab@x"], "simulation-not-found"),
        (["down", "lab"], "simulation-not-found"), (["log", "lab"], "simulation-not-found"),
        (["show", "lab"], "simulation-not-found"), (["show", "lab@x"], "-not-found"), (["rm", "lab@x"], "-not-found"),
        (["verify", "lab@x"], "-not-found"), (["clock", "lab"], "simulation-not-found"),
        (["clock", "lab@x", "--clock", "-5m", "--as", "y"], "-not-found"), (["forget", "lab"], "simulation-not-found"),
        (["resolve", "lab"], "simulation-not-found"), (["gc", "lab"], "simulation-not-found"),
        (["host", "rm", "lab"], "host-not-found"), (["host", "drain", "lab"], "host-not-found"),
        (["adopt", "sim", "m", "unix:/x", "--host", "lab"], "host-not-found"),
    ])
    func `what is not there is named, with a code`(_ arguments: [String], _ code: String) async throws {
        try await CLIHome.with { home in
            let run = try await CLIRun.fermata(arguments + ["--json"], in: home)
            #expect(run.status == 1)
            let object = try JSONValue(parsing: run.outputLines.last ?? "")
            #expect(object["code"]?.stringValue?.hasSuffix(code) == true, "\(run.output)")
            #expect(object["exitCode"]?.int64Value == 1)
            #expect(run.errors.contains("lab"))
        }
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}
