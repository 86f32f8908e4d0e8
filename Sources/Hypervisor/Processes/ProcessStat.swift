import Glibc

/// What is used of /proc/PID/stat.
struct ProcessStat {
    var state: Character
    var parent: Int32
    /// Clock ticks since boot.
    var startTime: UInt64

    var hasEnded: Bool { state == "Z" || state == "X" || state == "x" }

    init?(of pid: Int32) {
        guard let bytes = ProcFile.read("/proc/\(pid)/stat") else { return nil }
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
