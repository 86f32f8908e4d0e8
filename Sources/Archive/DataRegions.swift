import Glibc

/// Where a file has data, and where only holes.
enum DataRegions {
    struct Region: Hashable, Sendable {
        var start: UInt64
        var end: UInt64
    }

    /// lseek(2): GNU's names do not reach Swift.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4
    /// Smaller holes are treated as data: each region is a line in the archive, and zeros compress well.
    private static let smallestHole: UInt64 = 64 << 10

    /// In order; a file system that knows no holes has one region.
    static func of(_ descriptor: Int32, size: UInt64) -> [Region] {
        var regions: [Region] = []
        var position: off_t = 0
        while UInt64(position) < size {
            let data = lseek(descriptor, position, seekData)
            // ENXIO: nothing but hole up to the end.
            if data < 0, errno == ENXIO { break }
            let start = data < 0 ? UInt64(position) : UInt64(data)
            guard start < size else { break }
            let hole = lseek(descriptor, off_t(start), seekHole)
            let end = hole > off_t(start) ? min(UInt64(hole), size) : size
            if let last = regions.last, start - last.end < smallestHole {
                regions[regions.count - 1].end = end
            } else {
                regions.append(Region(start: start, end: end))
            }
            position = off_t(end)
        }
        return regions
    }

    /// How many bytes of a file are data.
    static func bytes(of path: String) throws(ArchiveError) -> UInt64 {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path) }
        return of(descriptor, size: UInt64(status.st_size)).reduce(0) { $0 + $1.end - $1.start }
    }
}

extension ArchiveError {
    static func unreadable(_ path: String) -> ArchiveError {
        ArchiveError(.source, "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
}
