import Glibc

/// Reads a file of mostly nothing: what its file system knows to be hole is not read, only counted.
enum FileExtents {
    private static let chunk = 1 << 20
    /// File systems with smaller blocks may begin a piece anywhere; readers that look at pages see the same pages on all.
    private static let grain = off_t(4096)

    /// Calls the bodies in the order of the file; each piece of data has at most 1 MiB.
    /// - Parameters:
    ///   - start: where to begin, in bytes.
    ///   - data: returns errno of what failed, or nil.
    /// - Returns: errno of what failed; nil at the end.
    static func walk(
        _ descriptor: Int32,
        from start: off_t = 0,
        hole: (_ count: Int) -> Void,
        data: (_ bytes: UnsafeRawBufferPointer, _ offset: off_t) -> Int32?
    ) -> Int32? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return errno }
        let size = status.st_size
        var buffer = [UInt8](repeating: 0, count: chunk)
        var position = start
        while position < size {
            // ENXIO: nothing but hole up to the end. A file system that cannot tell says that all is data.
            let found = lseek(descriptor, position, FileHoles.seekData)
            if found < 0, errno != ENXIO { return errno }
            let begin = found < 0 ? size : min(max(found / grain * grain, position), size)
            if begin > position { hole(Int(begin - position)) }
            position = begin
            guard position < size else { break }
            let next = lseek(descriptor, max(found, position), FileHoles.seekHole)
            guard next > position else { return next < 0 ? errno : EIO }
            // Some files of the kernel's own say that they have no hole before the largest offset there is.
            let end = next >= size ? size : min((next + grain - 1) / grain * grain, size)
            while position < end {
                let count = pread(descriptor, &buffer, Int(min(off_t(chunk), end - position)), position)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count < 0 ? errno : EIO }
                if let error = buffer[..<count].withUnsafeBytes({ data($0, position) }) { return error }
                position += off_t(count)
            }
        }
        return nil
    }

    /// Writes all of it at its place.
    /// - Returns: errno of what failed.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: off_t) -> Int32? {
        var written = 0
        while written < bytes.count {
            let step = pwrite(
                descriptor,
                bytes.baseAddress?.advanced(by: written),
                bytes.count - written,
                offset + off_t(written)
            )
            if step < 0, errno == EINTR { continue }
            guard step > 0 else { return step < 0 ? errno : EIO }
            written += step
        }
        return nil
    }
}
