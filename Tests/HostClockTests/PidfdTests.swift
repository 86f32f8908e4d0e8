import CShims
import Glibc
import Testing

@Suite struct PidfdTests {
    @Test func tellsHowAChildEnded() throws {
        let child = try Spawned(["/bin/sleep", "600"])
        var result = fermata_exit()
        #expect(fermata_pidfd_reap(child.pidfd, &result) == -EAGAIN)
        #expect(fermata_pidfd_signal(child.pidfd, 0) == 0)
        #expect(fermata_pidfd_signal(child.pidfd, SIGKILL) == 0)
        let end = try #require(child.wait())
        #expect(end.by_signal == 1)
        #expect(end.value == SIGKILL)
        #expect(fermata_pidfd_signal(child.pidfd, SIGTERM) == -ESRCH)
        #expect(fermata_pidfd_reap(child.pidfd, &result) == -ECHILD)
    }

    @Test func aProcessThatIsNotOurChildCanBeWatchedButNotCollected() throws {
        // A grandchild that outlives its parent, as a machine is to a daemon that was started again.
        let pipe = try Pipe()
        let parent = try Spawned(["/bin/sh", "-c", "sleep 600 >/dev/null & echo $!"], output: pipe.writeEnd)
        let line = pipe.readToEnd()
        #expect(parent.wait()?.value == 0)
        let grandchild = try #require(pid_t(line.dropLast()))
        let pidfd = fermata_pidfd_open(grandchild)
        try #require(pidfd >= 0)
        defer { close(pidfd) }
        var poller = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&poller, 1, 0) == 0)
        #expect(fermata_pidfd_signal(pidfd, SIGKILL) == 0)
        #expect(poll(&poller, 1, 10_000) == 1)
        var result = fermata_exit()
        #expect(fermata_pidfd_reap(pidfd, &result) == -ECHILD)
    }

    @Test func aProcessThatIsGoneCannotBeOpened() throws {
        let child = try Spawned(["/bin/true"])
        let pid = child.pid
        #expect(child.wait()?.value == 0)
        #expect(fermata_pidfd_open(pid) == -ESRCH)
        #expect(fermata_pidfd_open(-1) == -EINVAL)
    }
}
