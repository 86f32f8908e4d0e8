import CShims
import Glibc
import HostClock
import Testing
import Time

@Suite struct SpawnTests {
    @Test func startsAProgramWithItsArgumentsEnvironmentAndFolder() throws {
        let pipe = try Pipe()
        let child = try Spawned(
            ["/bin/sh", "-c", "echo \"$0 $1 $FERMATA_TEST $(pwd) ${HOME-none}\"; exit 7", "zero", "one two"],
            environment: ["FERMATA_TEST=yes", "PATH=/usr/bin:/bin"],
            output: pipe.writeEnd
        ) { $0.working_directory = folder }
        #expect(pipe.readToEnd() == "zero one two yes /proc/sys none\n")
        let end = try #require(child.wait())
        #expect(end.by_signal == 0)
        #expect(end.value == 7)
    }

    @Test func withoutAnEnvironmentItPassesOnOurs() throws {
        let pipe = try Pipe()
        let child = try Spawned(["/usr/bin/env"], output: pipe.writeEnd)
        let lines = pipe.readToEnd().split(separator: "\n")
        #expect(child.wait()?.value == 0)
        let path = try #require(getenv("PATH"))
        #expect(lines.contains("PATH=\(String(cString: path))"))
        #expect(fermata_environment()?.pointee != nil)
    }

    @Test func anErrorNamesItsStepAndLeavesNoChild() async {
        await #expect(processExitsWith: .success) {
            #expect(throws: Spawned.Failure(errno: ENOENT, stage: FERMATA_SPAWN_EXEC)) {
                try Spawned(["/nowhere/qemu-system-x86_64"])
            }
            #expect(throws: Spawned.Failure(errno: EACCES, stage: FERMATA_SPAWN_EXEC)) { try Spawned(["/etc"]) }
            #expect(throws: Spawned.Failure(errno: ENOENT, stage: FERMATA_SPAWN_DIRECTORY)) {
                try Spawned(["/bin/true"]) { $0.working_directory = nowhere }
            }
            #expect(throws: Spawned.Failure(errno: EBADF, stage: FERMATA_SPAWN_DESCRIPTORS)) {
                try Spawned(["/bin/true"], inherited: [5: 900])
            }
            #expect(throws: Spawned.Failure(errno: EINVAL, stage: FERMATA_SPAWN_DEATH_SIGNAL)) {
                try Spawned(["/bin/true"]) { $0.parent_death_signal = 4711 }
            }
            // Only this process's own children are meant: it is one of its own.
            #expect(waitpid(-1, nil, WNOHANG) == -1)
            #expect(errno == ECHILD)
        }
    }

    @Test(arguments: [[2: Int32(0)], [-1: 0], [3: -1]] as [[Int32: Int32]])
    func inheritedDescriptorsThatCannotBeAreRefused(inherited: [Int32: Int32]) {
        #expect(throws: Spawned.Failure(errno: EINVAL, stage: FERMATA_SPAWN_DESCRIPTORS)) {
            try Spawned(["/bin/true"], inherited: inherited)
        }
    }

    @Test func theChildHasTheNamedDescriptorsAndNoOther() throws {
        let pipe = try Pipe()
        // Without close-on-exec, as a library may leave one.
        let leaky = dup(pipe.readEnd)
        defer { close(leaky) }
        let child = try Spawned(["/bin/sleep", "600"], inherited: [7: pipe.readEnd, 1000: pipe.writeEnd])
        // The dynamic linker opens libraries for a moment.
        for _ in 0..<500 where child.descriptors().count != 5 { usleep(10_000) }
        let open = child.descriptors()
        #expect(open.keys.sorted() == [0, 1, 2, 7, 1000])
        #expect(open[0] == "/dev/null" && open[1] == "/dev/null" && open[2] == "/dev/null")
        #expect(open[7] == link(of: "/proc/self/fd/\(pipe.readEnd)"))
    }

    @Test func descriptorsThatTradeNumbersArriveRight() throws {
        let pipes = try (0..<3).map { _ in try Pipe() }
        let numbers = pipes.map(\.readEnd)
        // Each goes to the number that another one has here.
        let child = try Spawned(
            ["/bin/sleep", "600"],
            inherited: [numbers[0]: numbers[1], numbers[1]: numbers[2], numbers[2]: numbers[0]]
        )
        let open = child.descriptors()
        for index in 0..<3 {
            #expect(open[numbers[index]] == link(of: "/proc/self/fd/\(numbers[(index + 1) % 3])"))
        }
    }

    @Test func aSessionOfItsOwnOutlivesOurTerminal() throws {
        let session = try Spawned(["/bin/sleep", "600"]) { $0.new_session = 1 }
        #expect(getsid(session.pid) == session.pid)
        #expect(getpgid(session.pid) == session.pid)
        let group = try Spawned(["/bin/sleep", "600"]) { $0.new_process_group = 1 }
        #expect(getsid(group.pid) == getsid(0))
        #expect(getpgid(group.pid) == group.pid)
        let neither = try Spawned(["/bin/sleep", "600"])
        #expect(getpgid(neither.pid) == getpgid(0))
    }

    @Test func noSignalIsBlockedOrIgnoredInTheChild() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            signal(SIGUSR2, SIG_IGN)
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, SIGTERM)
            pthread_sigmask(SIG_SETMASK, &mask, nil)
            let child = try Spawned(["/bin/sleep", "600"])
            #expect(child.status("SigBlk") == "0000000000000000")
            #expect(child.status("SigIgn") == "0000000000000000")
            // And ours are as before.
            var now = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &now)
            #expect(sigismember(&now, SIGTERM) == 1)
            #expect(sigismember(&now, SIGINT) == 0)
        }
    }

    @Test func withADeathSignalItEndsWithTheThreadThatStartedIt() throws {
        let bound = try onAThreadThatEnds { try Spawned(["/bin/sleep", "600"]) { $0.parent_death_signal = SIGTERM } }
        let end = try #require(bound.wait())
        #expect(end.by_signal == 1)
        #expect(end.value == SIGTERM)
        let free = try onAThreadThatEnds { try Spawned(["/bin/sleep", "600"]) }
        var result = fermata_exit()
        #expect(fermata_pidfd_reap(free.pidfd, &result) == -EAGAIN)
    }
}

/// The options hold pointers for the length of the call: these live as long as the process.
nonisolated(unsafe) private let folder = UnsafePointer(strdup("/proc/sys"))
nonisolated(unsafe) private let nowhere = UnsafePointer(strdup("/nowhere"))

private func onAThreadThatEnds(_ body: @escaping () throws -> Spawned) throws -> Spawned {
    final class Work {
        let body: () throws -> Spawned
        var result: Result<Spawned, any Error>?

        init(_ body: @escaping () throws -> Spawned) {
            self.body = body
        }
    }
    let work = Work(body)
    var thread = pthread_t()
    let code = pthread_create(
        &thread,
        nil,
        { context in
            guard let context else { return nil }
            let work = Unmanaged<Work>.fromOpaque(context).takeUnretainedValue()
            work.result = Result { try work.body() }
            return nil
        },
        Unmanaged.passUnretained(work).toOpaque()
    )
    try #require(code == 0)
    pthread_join(thread, nil)
    return try #require(work.result).get()
}
