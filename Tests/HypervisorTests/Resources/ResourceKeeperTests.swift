import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite("ResourceKeeper")
struct ResourceKeeperTests {
    /// Writes what happened, one line each, into a file that the test reads back.
    private struct Lab {
        let scratch: ScratchFolder
        let keeper: ResourceKeeper

        init() throws {
            scratch = try ScratchFolder()
            keeper = try ResourceKeeper(simulation: "lab", folder: scratch.path)
        }

        func spec(_ name: String, acquire: String = "true", release: String = "true", timeout: Span = .seconds(10))
            -> ResourceSpec
        {
            let log = scratch.file("log")
            return ResourceSpec(
                name: name,
                acquire: ["sh", "-c", "echo +$FERMATA_SIMULATION/$FERMATA_RESOURCE >> \(log); \(acquire)"],
                release: ["sh", "-c", "echo -$FERMATA_RESOURCE >> \(log); \(release)"],
                check: ["sh", "-c", "test ! -e \(scratch.file("broken-" + name))"],
                timeout: timeout
            )
        }

        var log: [String] {
            let text = ProcFile.read(scratch.file("log")).map { String(decoding: $0, as: UTF8.self) } ?? ""
            return text.split(separator: "\n").map { String($0) }
        }

        var recorded: Bool { access(scratch.file("resources.json"), F_OK) == 0 }
    }

    @Test("acquired in order, released in reverse, nothing on disk afterwards")
    func order() async throws {
        let lab = try Lab()
        try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap"), lab.spec("licence")])
        #expect(await lab.keeper.heldNames == ["vpn", "tap", "licence"])
        #expect(lab.recorded)
        #expect(await lab.keeper.releaseAll() == [])
        #expect(lab.log == ["+lab/vpn", "+lab/tap", "+lab/licence", "-licence", "-tap", "-vpn"])
        #expect(await lab.keeper.heldNames == [])
        #expect(!lab.recorded)
    }

    @Test("a failure in the middle gives back what was acquired, the failed one too")
    func middle() async throws {
        let lab = try Lab()
        let error = await #expect(throws: HypervisorError.self) {
            try await lab.keeper.acquire([
                lab.spec("vpn"), lab.spec("tap", acquire: "echo no tap >&2; exit 4"), lab.spec("licence"),
            ])
        }
        #expect(error?.reasons.map(\.code) == ["resource-acquire-failed"])
        #expect(error?.description.contains("no tap") == true)
        #expect(lab.log == ["+lab/vpn", "+lab/tap", "-tap", "-vpn"])
        #expect(await lab.keeper.heldNames == [])
        #expect(!lab.recorded)
    }

    @Test("what was held before a failed call stays held")
    func before() async throws {
        let lab = try Lab()
        try await lab.keeper.acquire([lab.spec("vpn")])
        await #expect(throws: HypervisorError.self) {
            try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap", acquire: "false")])
        }
        #expect(await lab.keeper.heldNames == ["vpn"])
        #expect(lab.log == ["+lab/vpn", "+lab/tap", "-tap"])
        await lab.keeper.releaseAll()
    }

    @Test("a release that fails is told and stops nothing")
    func failedRelease() async throws {
        let lab = try Lab()
        try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap", release: "exit 9")])
        let reasons = await lab.keeper.releaseAll()
        #expect(reasons.map(\.code) == ["resource-release-failed"])
        #expect(reasons.first?.message.contains("tap") == true)
        #expect(lab.log.suffix(2) == ["-tap", "-vpn"])
        #expect(await lab.keeper.heldNames == [])
        #expect(!lab.recorded)
    }

    @Test("a command that takes too long counts as failed")
    func timeout() async throws {
        let lab = try Lab()
        let error = await #expect(throws: HypervisorError.self) {
            try await lab.keeper.acquire([lab.spec("vpn", acquire: "sleep 60", timeout: .seconds(2))])
        }
        #expect(error?.description.contains("command-timeout") == true)
        #expect(lab.log == ["+lab/vpn", "-vpn"])
    }

    @Test("a daemon that comes after another releases exactly what that one held")
    func restarted() async throws {
        let lab = try Lab()
        try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap")])
        let next = try ResourceKeeper(simulation: "lab", folder: lab.scratch.path)
        #expect(await next.heldNames == ["vpn", "tap"])
        #expect(await next.releaseAll() == [])
        #expect(lab.log.suffix(2) == ["-tap", "-vpn"])
        #expect(!lab.recorded)
    }

    @Test("one that was being acquired when the daemon died is released, too")
    func interrupted() async throws {
        let lab = try Lab()
        let held = HeldResources(simulation: "lab", entries: [.init(spec: lab.spec("vpn"), state: .acquiring)])
        try DurableFile.write(held, to: lab.scratch.file("resources.json"))
        let next = try ResourceKeeper(simulation: "lab", folder: lab.scratch.path)
        await next.releaseAll()
        #expect(lab.log == ["-vpn"])
    }

    @Test("cancelling an acquisition releases what it has")
    func cancelled() async throws {
        let lab = try Lab()
        let task = Task { try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap", acquire: "sleep 60")]) }
        while lab.log.count < 2 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        await #expect(throws: HypervisorError.self) { try await task.value }
        #expect(lab.log == ["+lab/vpn", "+lab/tap", "-tap", "-vpn"])
        #expect(!lab.recorded)
    }

    @Test("checks tell what has gone wrong behind our backs")
    func checks() async throws {
        let lab = try Lab()
        try await lab.keeper.acquire([lab.spec("vpn"), lab.spec("tap")])
        #expect(await lab.keeper.check() == [])
        lab.scratch.write([], to: "broken-tap")
        let reasons = await lab.keeper.check()
        #expect(reasons.map(\.code) == ["resource-check-failed"])
        await lab.keeper.releaseAll()
    }

    @Test("calls that come together follow one another")
    func together() async throws {
        let lab = try Lab()
        let specs = [lab.spec("vpn", acquire: "sleep 0.1")]
        async let first: Void = lab.keeper.acquire(specs)
        async let second: Void = lab.keeper.acquire(specs)
        try await first
        try await second
        #expect(lab.log == ["+lab/vpn"])
        await lab.keeper.releaseAll()
    }
}
