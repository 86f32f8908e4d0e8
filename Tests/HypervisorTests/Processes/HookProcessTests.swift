import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// Hooks that behave, and hooks that do not.
struct HookProcessTests {
    private func run(
        _ script: String,
        timeout: Span = .seconds(120),
        input: String = "",
        variables: [String: String] = [:]
    ) async -> HookRun {
        let hook = HookSpec(event: .beforeSuspend, command: ["/bin/sh", "-c", script], timeout: timeout)
        return await HookProcess().run(hook, variables: variables, input: Array(input.utf8))
    }

    @Test func whatItIsToldAndWhatItSays() async {
        let run = await run("cat; echo \"$WHO\" >&2; exit 3", input: "{}\n", variables: ["WHO": "me"])
        #expect(run.end == .exited && run.status == 3 && !run.succeeded)
        #expect(run.output == "{}\n" && run.errors == "me\n" && run.lastLine == "me" && run.stragglers == 0)
        let silent = await self.run("kill -USR1 $$")
        #expect(silent.end == .signal && silent.status == SIGUSR1 && silent.lastLine == nil)
    }

    @Test func aPlanOfManyMachinesIsReadAsAWhole() async {
        let input = String(repeating: "x", count: 900_000)
        #expect(await run("wc -c", input: input).output == "900000\n")
        // Nobody waits for a hook that does not read it.
        #expect(await run("true", input: input).succeeded)
    }

    @Test func oneThatHangsIsEndedWithAllThatItStarted() async {
        let run = await run("echo begun; sleep 1000 & sleep 1000", timeout: .seconds(3))
        #expect(run.end == .timeout && run.status == nil && run.output == "begun\n")
    }

    @Test func oneThatIsCalledOffEnds() async {
        let task = Task { await run("sleep 1000", timeout: .seconds(1000)) }
        try? await Task.sleep(for: .milliseconds(100))
        task.cancel()
        #expect(await task.value.end == .cancelled)
    }

    @Test func whatGoesIntoASessionOfItsOwnEndsToo() async throws {
        let run = await run("setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & sleep 0.2; echo $!; exit 0")
        #expect(run.end == .exited && run.status == 0 && run.stragglers >= 1)
        let process = try #require(pid_t(run.output.split(separator: "\n").first ?? ""))
        #expect(ProcFile.readStrings("/proc/\(process)/cmdline")?.contains("sleep") != true)
    }

    @Test func oneThatFloodsItsOutputIsHeardAtItsBeginningAndItsEnd() async {
        let run = await run("echo first; yes | head -c 10000000; echo last")
        #expect(run.end == .exited && run.output.hasPrefix("first\n") && run.output.hasSuffix("last\n"))
        #expect(run.output.contains("bytes left out") && run.output.utf8.count < 10_000)
    }

    @Test func oneThatNeverStopsWritingIsEndedAtItsTimeout() async {
        let run = await run("yes", timeout: .seconds(3))
        #expect(run.end == .timeout && run.output.hasPrefix("y\n") && run.output.utf8.count < 10_000)
    }

    @Test func oneThatCannotBeStartedSaysSo() async {
        let hook = HookSpec(event: .failed, command: ["/no/such/hook"])
        let run = await HookProcess().run(hook, variables: [:], input: [])
        #expect(run.end == .notStarted && run.errors.contains("/no/such/hook"))
    }
}
