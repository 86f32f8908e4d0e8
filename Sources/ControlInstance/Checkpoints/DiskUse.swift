import FoundationEssentials
import Glibc

/// What files really take of a disk: holes count nothing, and several names of one file count once.
///
/// Two sums of all that was added: what there is, and what would be free if it were removed.
struct DiskUse: Sendable {
    private struct File: Hashable {
        var device: UInt64
        var number: UInt64
    }

    /// By how many of its names each was added.
    private var names: [File: UInt64] = [:]
    private(set) var bytes: UInt64 = 0
    /// Of files that have no name elsewhere.
    private(set) var freedBytes: UInt64 = 0

    /// Adds everything below a folder. What cannot be read, or goes away meanwhile, counts nothing.
    mutating func add(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] { add("\(path)/\(name)") }
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let links = isFolder ? 1 : UInt64(status.st_nlink)
        let file = File(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        if links > 1 { names[file, default: 0] += 1 }
        let found = links > 1 ? names[file] ?? 0 : 1
        let size = UInt64(clamping: status.st_blocks) &* 512
        if found == 1 { bytes &+= size }
        if found == links { freedBytes &+= size }
    }

    /// Of the file that a symbolic link leads to; 0 when it is no link.
    static func bytes(behind link: String) -> UInt64 {
        var status = stat()
        guard lstat(link, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, stat(link, &status) == 0 else { return 0 }
        return UInt64(clamping: status.st_blocks) &* 512
    }

    static func bytes(of path: String) -> UInt64 {
        var use = DiskUse()
        use.add(path)
        return use.bytes
    }
}
