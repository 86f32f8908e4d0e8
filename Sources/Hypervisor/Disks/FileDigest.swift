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
        let descriptor = OwnedDescriptor(open(path, O_RDONLY | O_CLOEXEC))
        guard descriptor.number >= 0, let start = off_t(exactly: offset) else { return .failure(failure(name)) }
        var digest = RunningDigest()
        let error = withExtendedLifetime(descriptor) {
            FileExtents.walk(
                descriptor.number,
                from: start,
                hole: { digest.updateWithZeros($0) },
                data: { bytes, _ in
                    digest.update(bytes)
                    return nil
                }
            )
        }
        if let error { return .failure(failure(name, error)) }
        return .success(digest.hex)
    }

    private static func failure(_ path: String, _ number: Int32 = errno) -> HypervisorError {
        HypervisorError(code: "file-failed", message: "\(path) cannot be read: \(String(cString: strerror(number)))")
    }
}
