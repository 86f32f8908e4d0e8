import Glibc
import HypervisorAPI

/// SHA-256 of files, as checkpoints record it.
enum FileDigest {
    /// - Parameter offset: where to begin, in bytes.
    /// - Parameter isStopped: asked again and again.
    /// - Returns: lower-case hex.
    /// - Throws: `cancelled` when it was stopped.
    static func sha256(
        of path: String,
        from offset: UInt64 = 0,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) async throws(HypervisorError) -> String {
        try await BlockingThread.run { compute(path, path, offset, isStopped) }.get()
    }

    /// As ``sha256(of:from:)`` of the whole file, of the very one that is open; its position stays where it is.
    /// - Parameter path: for the words of an error.
    static func sha256(of file: OwnedDescriptor, named path: String) async throws(HypervisorError) -> String {
        // A second opening: whoever reads through the first begins at its position, which looking for holes moves.
        try await BlockingThread.run { compute("/proc/self/fd/\(file.number)", path, 0) { false } }.get()
    }

    static func size(of path: String) throws(HypervisorError) -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .file("read", path) }
        return UInt64(clamping: status.st_size)
    }

    private static func compute(
        _ path: String,
        _ name: String,
        _ offset: UInt64,
        _ isStopped: () -> Bool
    ) -> Result<String, HypervisorError> {
        // Something that is no file, a FIFO, is not waited for.
        let descriptor = OwnedDescriptor(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
        guard descriptor.number >= 0, let start = off_t(exactly: offset) else { return .failure(.file("read", name)) }
        var digest = RunningDigest()
        let error = withExtendedLifetime(descriptor) {
            FileExtents.walk(
                descriptor.number,
                from: start,
                hole: { count in
                    var rest = count
                    while rest > 0, !isStopped() {
                        let step = min(rest, 64 << 20)
                        digest.updateWithZeros(step)
                        rest -= step
                    }
                },
                data: { bytes, _ in
                    digest.update(bytes)
                    return isStopped() ? ECANCELED : nil
                }
            )
        }
        if isStopped() { return .failure(.cancelled) }
        if let error { return .failure(.file("read", name, error)) }
        return .success(digest.hex)
    }
}
