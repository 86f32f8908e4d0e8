import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite("ShortCommand")
struct ShortCommandTests {
    @Test("gives both outputs and the status")
    func outputs() async throws {
        let output = try await ShortCommand(arguments: ["sh", "-c", "echo out; echo err >&2; exit 3"]).run()
        #expect(output.standardOutput == Array("out\n".utf8))
        #expect(output.standardError == Array("err\n".utf8))
        #expect(output.status == 3)
        #expect(!output.succeeded)
        #expect(output.failureText == "exit status 3: err")
    }

    @Test("no shell looks at the arguments")
    func noShell() async throws {
        let output = try await ShortCommand(arguments: ["echo", "$HOME;", "`id`", "*"]).runSuccessfully()
        #expect(output.standardOutput == Array("$HOME; `id` *\n".utf8))
    }

    @Test("its environment is ours and what is added")
    func environment() async throws {
        let output = try await ShortCommand(arguments: ["env"], environment: ["FERMATA_X": "1", "HOME": "/x"]).run()
        let lines = String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n")
        #expect(lines.contains("FERMATA_X=1"))
        #expect(lines.filter { $0.hasPrefix("HOME=") } == ["HOME=/x"])
        #expect(lines.contains { $0.hasPrefix("PATH=") })
    }

    @Test("its environment is what is given, if it is not to have ours")
    func environmentOfItsOwn() async throws {
        var command = ShortCommand(arguments: ["env"], environment: ["FERMATA_X": "1"])
        command.inheritsEnvironment = false
        #expect(try await command.runSuccessfully().standardOutput == Array("FERMATA_X=1\n".utf8))
    }

    @Test("too much output is dropped, and the command is not held up")
    func limit() async throws {
        var command = ShortCommand(arguments: ["head", "-c", "3000000", "/dev/zero"])
        command.outputLimit = 1000
        let output = try await command.runSuccessfully()
        #expect(output.standardOutput.count == 1000)
    }

    @Test("what exceeds its time is ended with its children")
    func timeout() async throws {
        let scratch = try ScratchFolder()
        let script = "sleep 60 & echo $! > \(scratch.file("pid")); wait"
        let command = ShortCommand(arguments: ["sh", "-c", script], timeout: .milliseconds(500))
        let error = await #expect(throws: HypervisorError.self) { try await command.run() }
        #expect(error?.reasons.map(\.code) == ["command-timeout"])
        let text = String(decoding: try #require(ProcFile.read(scratch.file("pid"))), as: UTF8.self)
        let pid = try #require(Int32(text.split(whereSeparator: \.isWhitespace).first ?? ""))
        // Killed with the group; its new parent collects it.
        for _ in 0..<200 where ProcessIdentity.current(of: pid) != nil { try await Task.sleep(for: .milliseconds(10)) }
        #expect(ProcessIdentity.current(of: pid) == nil)
    }

    @Test("cancelling the task ends the command")
    func cancellation() async throws {
        let task = Task { () -> Result<ShortCommand.Output, HypervisorError> in
            do throws(HypervisorError) {
                return .success(try await ShortCommand(arguments: ["sleep", "60"]).run())
            } catch {
                return .failure(error)
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        guard case .failure(let error) = await task.value else {
            Issue.record("it was not cancelled")
            return
        }
        #expect(error.reasons.map(\.code) == ["cancelled"])
    }

    @Test("a child in the background that keeps the pipes open does not hold it up")
    func daemon() async throws {
        let output = try await ShortCommand(arguments: ["sh", "-c", "sleep 3 & echo started"]).runSuccessfully()
        #expect(output.standardOutput == Array("started\n".utf8))
    }

    @Test("a program that is not there is named")
    func missing() async {
        let error = await #expect(throws: HypervisorError.self) {
            try await ShortCommand(arguments: ["no-such-program-here"]).run()
        }
        #expect(error?.reasons.map(\.code) == ["command-not-found"])
        #expect(error?.description.contains("no-such-program-here") == true)
    }

    @Test("a signal is told from a status")
    func signal() async throws {
        let output = try await ShortCommand(arguments: ["sh", "-c", "kill -USR1 $$"]).run()
        #expect(output.bySignal)
        #expect(output.status == SIGUSR1)
        #expect(output.failureText == "ended by signal \(SIGUSR1)")
    }
}
