import CShims
import FoundationEssentials
import Glibc

/// A QEMU that nobody but the test has started, to be adopted; it ends with the last reference.
final class LoneQEMU: Sendable {
    let process: pid_t
    private let pidfd: Int32

    /// A PC that only runs its firmware.
    init(_ qemu: FaultLab.QEMU, monitor: String) async throws {
        let arguments = [
            qemu.path, "-machine", "pc,accel=tcg", "-m", "32M", "-nodefaults", "-no-user-config", "-display", "none",
            "-rtc", "clock=vm", "-qmp", "unix:\(monitor),server=on,wait=off",
        ]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for pointer in words { free(pointer) } }
        var options = fermata_spawn_options()
        options.standard_input = -1
        options.standard_output = -1
        options.standard_error = STDERR_FILENO
        options.new_process_group = 1
        var process: pid_t = 0
        var pidfd: Int32 = -1
        let result = fermata_spawn(arguments[0], &words, nil, &options, &process, &pidfd, nil)
        guard result == 0 else { throw CLIError("cannot start \(qemu.path): errno \(-result)") }
        (self.process, self.pidfd) = (process, pidfd)
        try await FaultLab.wait(for: "the monitor \(monitor)") { access(monitor, F_OK) == 0 }
    }

    var lives: Bool {
        var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 0
    }

    deinit {
        _ = fermata_pidfd_signal(pidfd, SIGKILL)
        var poll = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        while Glibc.poll(&poll, 1, 10_000) < 0, errno == EINTR {}
        var end = fermata_exit()
        _ = fermata_pidfd_reap(pidfd, &end)
        close(pidfd)
    }
}
