import Glibc

/// What comes out of a serial port, from the log that QEMU appends to: nobody is kept from the port's socket by it, and it goes on when
/// another process goes on with the machine.
actor SerialOutput {
    /// Of what was said before anybody listened: some screens of it.
    static let first: UInt64 = 64 << 10
    private static let most = 16 << 10
    private static let pause: Duration = .milliseconds(50)

    private let path: String
    /// nil: nothing has been read.
    private var offset: UInt64?

    private init(_ path: String, _ offset: UInt64?) {
        self.path = path
        self.offset = offset
    }

    /// Ends with the task that reads it.
    /// - Parameter offset: the end of what has been seen; nil: nothing, and of what is there the last is told.
    static func follow(_ path: String, from offset: UInt64?) -> AsyncStream<SerialChunk> {
        let output = SerialOutput(path, offset)
        return AsyncStream { await output.next() }
    }

    private func next() async -> SerialChunk? {
        while !Task.isCancelled {
            if let chunk = read() { return chunk }
            try? await Task.sleep(for: Self.pause)
        }
        return nil
    }

    /// - Returns: nil: there is no more now, or no such file.
    private func read() -> SerialChunk? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        let size = UInt64(clamping: status.st_size)
        var start = offset ?? (size > Self.first ? size - Self.first : 0)
        // Another file than the one of which that was seen.
        if start > size { start = 0 }
        offset = start
        guard start < size else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.most) { buffer, count in
            count = max(0, pread(file, buffer.baseAddress, buffer.count, off_t(start)))
        }
        guard !bytes.isEmpty else { return nil }
        let end = start + UInt64(bytes.count)
        offset = end
        return SerialChunk(end: end, bytes: bytes)
    }
}
