import Glibc

/// A file that an archive brings, written with holes where it has zeros.
final class NewFile {
    private static let page = 4096

    private let descriptor: Int32
    private let path: String

    /// Makes the folders that it lies in.
    /// - Parameter name: relative, without `.`, `..` or empty parts.
    /// - Throws: also when it is there already.
    init(_ name: String, in folder: String) throws(ArchiveError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }), !name.utf8.contains(0) else {
            throw .corrupt("has a file of the name '\(name.prefix(200))', which would lie outside of its folder")
        }
        var place = folder
        for part in parts.dropLast() {
            place += "/\(part)"
            guard mkdir(place, 0o700) == 0 || errno == EEXIST else { throw Self.failure("made", place) }
        }
        let path = "\(folder)/\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("made", path) }
        (self.path, self.descriptor) = (path, descriptor)
    }

    deinit { close(descriptor) }

    func setSize(_ bytes: UInt64) throws(ArchiveError) {
        guard ftruncate(descriptor, off_t(bytes)) == 0 else { throw Self.failure("written", path) }
    }

    /// Pages of zeros stay holes.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ArchiveError) {
        var start = 0
        while start < bytes.count {
            var end = start
            let isZero = Self.isZero(bytes, from: start)
            repeat {
                end = min(end + Self.page, bytes.count)
            } while end < bytes.count && Self.isZero(bytes, from: end) == isZero
            if !isZero {
                try put(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: offset + UInt64(start))
            }
            start = end
        }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(ArchiveError) {
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                descriptor,
                bytes.baseAddress.map { $0 + written },
                bytes.count - written,
                off_t(offset) + off_t(written)
            )
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("written", path) }
            written += count
        }
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = min(page, bytes.count - start)
        // All are equal to their neighbours, and the first is 0.
        return bytes[start] == 0 && (count == 1 || memcmp(base + start, base + start + 1, count - 1) == 0)
    }

    private static func failure(_ what: String, _ path: String) -> ArchiveError {
        let number = errno
        return ArchiveError(
            number == ENOSPC || number == EDQUOT ? .noSpace : .storage,
            "\(path) cannot be \(what): \(String(cString: strerror(number)))"
        )
    }
}
