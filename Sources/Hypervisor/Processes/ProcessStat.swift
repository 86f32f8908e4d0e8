import Glibc

/// What is used of /proc/PID/stat.
struct ProcessStat {
    var state: Character
    var parent: Int32
    /// Clock ticks since boot.
    var startTime: UInt64

    var hasEnded: Bool { state == "Z" || state == "X" || state == "x" }

    /// nil when there is no such process.
    init?(of pid: Int32) {
        var bytes = ProcFile.read("/proc/\(pid)/stat")
        // A process that has no descriptor left for a moment must not take a living machine for a dead one. Not for longer: whoever
        // could close some may wait for this thread.
        var attempts = 50
        while bytes == nil, attempts > 0, access("/proc/\(pid)/stat", F_OK) == 0 {
            usleep(20_000)
            bytes = ProcFile.read("/proc/\(pid)/stat")
            attempts -= 1
        }
        guard let bytes else { return nil }
        self.init(line: String(decoding: bytes, as: UTF8.self))
    }

    init?(line: String) {
        // The second field is the program's name in parentheses and may hold anything, parentheses too: count from the last one.
        guard let end = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
            let startTime = UInt64(fields[19])
        else { return nil }
        self.state = state
        self.parent = parent
        self.startTime = startTime
    }
}
