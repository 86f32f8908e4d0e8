import Glibc

/// A stream in a file. Reads at offsets, so that the file's position is nobody's concern.
public final class FileSource: StreamSource {
    private let descriptor: Int32
    public let size: UInt64

    /// Opens the file for reading.
    public convenience init(path: String) throws(StreamError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("opening \(path)") }
        try self.init(owning: descriptor)
    }

    /// Reads through a duplicate: the caller keeps `descriptor` and closes it when it likes.
    public convenience init(descriptor: Int32) throws(StreamError) {
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw .system("duplicating descriptor \(descriptor)") }
        try self.init(owning: duplicate)
    }

    private init(owning descriptor: Int32) throws(StreamError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = StreamError.system("looking at descriptor \(descriptor)")
            close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw StreamError(.ioFailure, "only a regular file can be read at any offset; copy the stream into one")
        }
        self.descriptor = descriptor
        size = UInt64(max(0, status.st_size))
    }

    deinit { close(descriptor) }

    public func read(at offset: UInt64, count: Int) throws(StreamError) -> [UInt8] {
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
            throw StreamError(.truncated, at: offset, "\(count) bytes are needed, the file ends at byte \(size)")
        }
        return try descriptor.readAll(at: offset, count: count)
    }
}

extension StreamError {
    /// What `errno` says after a call that failed.
    static func system(_ step: String, at offset: UInt64? = nil) -> StreamError {
        let code = errno
        return StreamError(.ioFailure, at: offset, "\(step) failed: \(String(cString: strerror(code)))")
    }
}

extension Int32 {
    /// Reads from this descriptor until `count` bytes are there; the file may have become shorter meanwhile.
    func readAll(at offset: UInt64, count: Int) throws(StreamError) -> [UInt8] {
        guard let base = off_t(exactly: offset), !base.addingReportingOverflow(count).overflow else {
            throw StreamError(.truncated, at: offset, "no file reaches that far")
        }
        var done = 0
        var failure: StreamError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while done < count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[done...])
                let got = pread(self, rest.baseAddress, rest.count, base + done)
                if got > 0 {
                    done += got
                } else if got == 0 {
                    failure = StreamError(.truncated, at: offset + UInt64(done), "the file became shorter")
                    break
                } else if errno != EINTR {
                    failure = .system("reading", at: offset + UInt64(done))
                    break
                }
            }
            initialized = done
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of `bytes` at `offset` of this descriptor.
    func writeAll(_ bytes: [UInt8], at offset: UInt64) throws(StreamError) {
        guard let base = off_t(exactly: offset), !base.addingReportingOverflow(bytes.count).overflow else {
            throw StreamError(.ioFailure, at: offset, "no file reaches that far")
        }
        var done = 0
        while done < bytes.count {
            let put = bytes.withUnsafeBytes {
                pwrite(self, $0.baseAddress?.advanced(by: done), $0.count - done, base + done)
            }
            if put > 0 {
                done += put
            } else if put == 0 || errno != EINTR {
                throw .system("writing", at: offset + UInt64(done))
            }
        }
    }
}
