import Glibc
import HypervisorAPI

/// SHA-256 of files, as checkpoints record it.
enum FileDigest {
    /// - Parameter offset: where to begin, in bytes.
    /// - Returns: lower-case hex.
    static func sha256(of path: String, from offset: UInt64 = 0) async throws(HypervisorError) -> String {
        try await BlockingThread.run { compute(path, path, offset) }.get()
    }

    /// As ``sha256(of:from:)`` of the whole file, of the very one that is open; its position stays where it is.
    /// - Parameter path: for the words of an error.
    static func sha256(of file: OwnedDescriptor, named path: String) async throws(HypervisorError) -> String {
        // A second opening: whoever reads through the first begins at its position, which looking for holes moves.
        try await BlockingThread.run { compute("/proc/self/fd/\(file.number)", path, 0) }.get()
    }

    static func size(of path: String) throws(HypervisorError) -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure(path) }
        return UInt64(clamping: status.st_size)
    }

    private static func compute(_ path: String, _ name: String, _ offset: UInt64) -> Result<String, HypervisorError> {
        let number = open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { return .failure(failure(name)) }
        let descriptor = OwnedDescriptor(number)
        var status = stat()
        guard fstat(number, &status) == 0, let start = off_t(exactly: offset) else { return .failure(failure(name)) }
        var digest = RunningDigest()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var position = start
        while position < status.st_size {
            // Holes are not read, only counted: a mapped RAM file is mostly hole.
            let data = max(position, min(lseek(number, position, FileHoles.seekData), status.st_size))
            let hasData = data >= position && lseek(number, position, FileHoles.seekData) >= 0
            let dataStart = hasData ? data : status.st_size
            while position < dataStart {
                let count = Int(min(off_t(zeros.count), dataStart - position))
                zeros[..<count].withUnsafeBytes { digest.update($0) }
                position += off_t(count)
            }
            guard position < status.st_size else { break }
            let hole = lseek(number, position, FileHoles.seekHole)
            let dataEnd = hole > position ? min(hole, status.st_size) : status.st_size
            while position < dataEnd {
                let count = pread(number, &buffer, Int(min(off_t(buffer.count), dataEnd - position)), position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return .failure(failure(name)) }
                buffer[..<count].withUnsafeBytes { digest.update($0) }
                position += off_t(count)
            }
        }
        return withExtendedLifetime(descriptor) { .success(digest.hex) }
    }

    private static func failure(_ path: String) -> HypervisorError {
        HypervisorError(code: "file-failed", message: "\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
}
