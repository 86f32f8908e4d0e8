import Glibc

/// In the place of a file that is about to be written: whoever opens it waits until the disk goes on, and then fails; who comes after that finds a
/// disk like any other.
struct HangingDisk: Sendable {
    /// More than there are threads that tasks share on most hosts.
    static let writers = 64

    private let path: String

    init(_ path: String) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw SystemFailure("mkfifo") }
    }

    /// Again and again: nobody tells when the writers have come as far as the disk.
    func whileItHangs(_ body: () async -> Void) async {
        for _ in 0..<50 {
            await body()
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    func goesOn() {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Who has opened it writes, fails and removes it; who comes behind makes a file of his own there.
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&ready, 1, 10_000) <= 0 { unlink(path) }
    }
}
