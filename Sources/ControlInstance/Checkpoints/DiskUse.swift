import FoundationEssentials
import Glibc

/// What files really take of a disk: holes count nothing, and several names of one file count once.
struct DiskUse: Sendable {
    private struct File: Hashable {
        var device: UInt64
        var number: UInt64
    }

    private var seen: Set<File> = []
    private(set) var bytes: UInt64 = 0

    /// Adds everything below a folder. What cannot be read, or goes away meanwhile, counts nothing.
    mutating func add(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] { add("\(path)/\(name)") }
        }
        let file = File(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        guard status.st_nlink < 2 || status.st_mode & S_IFMT == S_IFDIR || seen.insert(file).inserted else { return }
        bytes &+= UInt64(clamping: status.st_blocks) &* 512
    }

    static func bytes(of path: String) -> UInt64 {
        var use = DiskUse()
        use.add(path)
        return use.bytes
    }
}
