import Glibc
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite("ProcessIdentity")
struct ProcessIdentityTests {
    private func start(_ arguments: String...) throws -> SpawnedProcess {
        let null = OwnedDescriptor(open("/dev/null", O_WRONLY | O_CLOEXEC))
        return try SpawnedProcess.start(
            path: try #require(ExecutablePath.find(arguments[0])),
            arguments: arguments,
            standardOutput: null.number,
            standardError: null.number,
            ownSession: true
        )
    }

    private func now() -> HostInstant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return HostInstant(nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    @Test("a process is itself until it ends")
    func liveness() async throws {
        let child = try start("sleep", "60")
        let identity = try #require(ProcessIdentity.current(of: child.pid))
        #expect(identity.isAlive)
        #expect(identity.open() != nil)
        try await identity.terminate()
        #expect(!identity.isAlive)
        #expect(identity.open() == nil)
        // Ended twice is ended.
        try await identity.terminate()
    }

    @Test("another process with the same id is not signalled")
    func reused() async throws {
        let child = try start("sleep", "60")
        var identity = try #require(ProcessIdentity.current(of: child.pid))
        let real = identity
        identity.startTime -= 1
        #expect(!identity.isAlive)
        try await identity.terminate(grace: .zero)
        #expect(real.isAlive)
        identity = real
        identity.bootID = "00000000-0000-0000-0000-000000000000"
        try await identity.terminate(grace: .zero)
        #expect(real.isAlive)
        try await real.terminate()
    }

    @Test("one that ignores SIGTERM is killed after the grace time")
    func stubborn() async throws {
        let child = try start("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        let identity = try #require(ProcessIdentity.current(of: child.pid))
        // The trap is set once the shell sleeps for the first time.
        try await Task.sleep(for: .milliseconds(300))
        try await identity.terminate(grace: .milliseconds(100))
        #expect(!identity.isAlive)
        kill(-child.pid, SIGKILL)
    }

    @Test("waiting ends when the process does, or when the time is over")
    func waiting() async throws {
        let child = try start("sleep", "0.2")
        let identity = try #require(ProcessIdentity.current(of: child.pid))
        #expect(await identity.waitForExit(timeout: .milliseconds(1)) == false)
        #expect(await identity.waitForExit(timeout: .seconds(30)) == true)
        #expect(!identity.isAlive)
        // No zombie is left.
        #expect(access("/proc/\(child.pid)", F_OK) != 0)
    }

    @Test("a zombie has ended")
    func zombie() async throws {
        let child = try start("true")
        let identity = ProcessIdentity.current(of: child.pid)
        _ = await DescriptorWait.untilReadable(child.pidfd, timeout: .seconds(10))
        #expect(access("/proc/\(child.pid)/stat", F_OK) == 0)
        #expect(identity?.isAlive != true)
        _ = child.collect()
    }

    @Test("a program's name cannot confuse the reading of stat")
    func hostileName() {
        let fields = "S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 424242 9 9"
        let stat = ProcessStat(line: "12 (a) Z 1 (b) \(fields)")
        #expect(stat?.startTime == 424242)
        #expect(stat?.state == "S")
        #expect(stat?.parent == 7)
        #expect(ProcessStat(line: "12 (cut") == nil)
        #expect(ProcessStat(line: "") == nil)
    }

    @Test("the start instant lies between the moments before and after the start")
    func startInstant() async throws {
        let before = now()
        let child = try start("sleep", "60")
        let after = now()
        let identity = try #require(ProcessIdentity.current(of: child.pid))
        let start = try #require(identity.startInstant)
        #expect(start >= before - .milliseconds(40))
        #expect(start <= after + .milliseconds(40))
        try await identity.terminate(grace: .zero)
    }
}
