import Glibc
import HypervisorAPI

/// The digest of a RAM file: SHA-256 over each page that is not all zero, in order, its offset before it, and over the length at the
/// end (both as 64 bits, most significant byte first).
///
/// So it takes as long as the RAM that is in use. Over the whole file most of the time would go into zeros: 8 GiB of them take half a
/// minute on a processor without instructions for it.
struct RAMDigest: Sendable {
    private var digest = RunningDigest()

    /// - Parameter run: whole pages, none of them zero.
    mutating func update(_ run: UnsafeRawBufferPointer, at offset: UInt64) {
        var position = 0
        while position < run.count {
            let end = min(position + SparsePages.size, run.count)
            update(offset + UInt64(position))
            digest.update(UnsafeRawBufferPointer(rebasing: run[position..<end]))
            position = end
        }
    }

    /// - Parameter length: of the whole file, in bytes.
    func hex(length: UInt64) -> String {
        var ended = self
        ended.update(length)
        return ended.digest.hex
    }

    private mutating func update(_ number: UInt64) {
        withUnsafeBytes(of: number.bigEndian) { digest.update($0) }
    }

    /// Reads a file on a thread of its own.
    /// - Parameter isStopped: asked every megabyte.
    /// - Throws: `cancelled` when it was stopped.
    static func of(
        _ path: String,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) async throws(HypervisorError) -> String {
        try await BlockingThread.run { () -> Result<String, HypervisorError> in
            let file = OwnedDescriptor(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
            guard file.number >= 0 else { return .failure(.file("read", path)) }
            return withExtendedLifetime(file) {
                var digest = RAMDigest()
                var status = stat()
                guard fstat(file.number, &status) == 0 else { return .failure(.file("read", path)) }
                let error = FileExtents.walk(
                    file.number,
                    hole: { _ in },
                    data: { bytes, start in
                        guard !isStopped() else { return ECANCELED }
                        return SparsePages.forEachRun(in: bytes) { run, offset in
                            digest.update(run, at: UInt64(start) + UInt64(offset))
                            return nil
                        }
                    }
                )
                if error == ECANCELED { return .failure(.cancelled) }
                if let error { return .failure(.file("read", path, error)) }
                return .success(digest.hex(length: UInt64(clamping: status.st_size)))
            }
        }.get()
    }
}
