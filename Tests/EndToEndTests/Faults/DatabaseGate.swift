import Glibc

/// Holds up what a daemon writes to its state database, from outside: the daemon then stays before that step for as long as its
/// patience with a busy database lasts (5 s).
///
/// In SQLite's WAL mode whoever writes holds a lock on byte 120 of the `-shm` file, whose word at byte 8 counts transactions
/// (https://www.sqlite.org/walformat.html).
final class DatabaseGate: @unchecked Sendable {
    // Unchecked: the mapping is only ever read, and the descriptor's lock is the kernel's.

    /// F_OFD_SETLK: locks of the descriptor, not of this process, in which other tests have files open too.
    private static let setLock: Int32 = 37
    private static let lockByte: off_t = 120

    private let file: Int32
    private let header: UnsafeMutableRawPointer

    init(_ lab: FaultLab) throws {
        let path = "\(lab.home.path)/state.sqlite-shm"
        file = Glibc.open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw CLIError("cannot open \(path): errno \(errno)") }
        guard let header = mmap(nil, 4096, PROT_READ, MAP_SHARED, file, 0), header != MAP_FAILED else {
            close(file)
            throw CLIError("cannot map \(path): errno \(errno)")
        }
        self.header = header
    }

    deinit {
        munmap(header, 4096)
        close(file)
    }

    /// No write passes any more.
    func shut() async throws { try await FaultLab.wait(for: "the database's lock") { lock(F_WRLCK) } }

    func open() { _ = lock(F_UNLCK) }

    /// Opens for one write and shuts again. A daemon that is about to write tries again within 100 ms.
    /// - Throws: when none comes, or another one slips through behind it.
    func letOneThrough() throws {
        // The next write may be half a millisecond behind: this thread sleeps less, and where it may, waits for no processor.
        var priority = sched_param(sched_priority: 1)
        sched_setscheduler(0, SCHED_FIFO, &priority)
        defer {
            priority.sched_priority = 0
            sched_setscheduler(0, SCHED_OTHER, &priority)
        }
        let before = transactions
        let end = time(nil) + 10
        open()
        while transactions == before {
            guard time(nil) < end else { throw CLIError("nothing was written to the database") }
            usleep(20)
        }
        while !lock(F_WRLCK) {}
        let passed = transactions &- before
        guard passed == 1 else { throw CLIError("\(passed) writes passed and not one") }
    }

    private var transactions: UInt32 { header.load(fromByteOffset: 8, as: UInt32.self) }

    private func lock(_ type: Int32) -> Bool {
        var range = flock()
        range.l_type = Int16(type)
        range.l_whence = Int16(SEEK_SET)
        range.l_start = Self.lockByte
        range.l_len = 1
        return fcntl(file, Self.setLock, &range) == 0
    }
}
