import Glibc

/// Reads the small files of /proc, whose sizes stat(2) does not tell.
enum ProcFile {
    static func read(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(number)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while bytes.count < limit {
            let count = Glibc.read(descriptor.number, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return bytes
    }

    static func size(of path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// What a file takes where it lies.
    static func allocatedBytes(of path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(clamping: status.st_blocks) * 512 : nil
    }

    /// The last bytes of a file that somebody else may go on writing.
    /// - Parameter start: bytes before it are not wanted.
    static func readEnd(_ path: String, from start: Int64, limit: Int) -> [UInt8]? {
        let number = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return nil }
        let descriptor = OwnedDescriptor(number)
        let end = lseek(descriptor.number, 0, SEEK_END)
        guard end >= 0 else { return nil }
        let first = max(start, Int64(end) - Int64(limit))
        guard first < end else { return [] }
        var buffer = [UInt8](repeating: 0, count: Int(Int64(end) - first))
        let count = pread(descriptor.number, &buffer, buffer.count, off_t(first))
        return count >= 0 ? Array(buffer[..<count]) : nil
    }

    /// A list that is terminated by NULs, as `cmdline` is.
    static func readStrings(_ path: String) -> [String]? {
        read(path).map { bytes in
            var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            if parts.last?.isEmpty == true { parts.removeLast() }
            return parts.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    static func readLink(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink(path, $0, text.count) } ?? -1
            }
        }
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
