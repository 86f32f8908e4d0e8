import Glibc

/// RAM as checkpoints see it: pages with something in them, and nothing else.
enum SparsePages {
    /// Bytes; the smallest page of the machines that QEMU emulates is no smaller, and file systems make holes of it.
    static let size = 4096

    /// Calls the body with each run of pages that are not all zero, in order.
    /// - Parameter bytes: begins on a page.
    /// - Returns: errno of what failed in the body, or nil.
    static func forEachRun(
        in bytes: UnsafeRawBufferPointer,
        _ body: (_ run: UnsafeRawBufferPointer, _ offset: Int) -> Int32?
    ) -> Int32? {
        var start: Int?
        var position = 0
        while position < bytes.count {
            let end = min(position + size, bytes.count)
            if isZero(bytes, position, end) {
                if let begin = start, let error = body(.init(rebasing: bytes[begin..<position]), begin) { return error }
                start = nil
            } else {
                start = start ?? position
            }
            position = end
        }
        guard let begin = start else { return nil }
        return body(.init(rebasing: bytes[begin...]), begin)
    }

    private static func isZero(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
        guard bytes[start] == 0, let base = bytes.baseAddress else { return false }
        // Each byte equals the next, and the first is zero.
        return memcmp(base + start, base + start + 1, end - start - 1) == 0
    }
}
