import Glibc

/// Pages on their way into files, of which those that follow each other are written at once.
struct PageRuns: ~Copyable {
    private static let longest = 1 << 20

    private let pageSize: Int
    private let file: Int32
    /// The same again, in memory; nil when there is none, or not any more: what does not fit there is not needed.
    private(set) var second: Int32?
    private var run: [UInt8] = []
    private var start: UInt64 = 0
    /// A bit a page: it was written, and may have been something else than zeros.
    private var written: [UInt64]

    /// - Parameters:
    ///   - file: of `bytes` zeros.
    ///   - second: the same, or nil.
    init(file: Int32, second: Int32?, bytes: UInt64, pageSize: Int) {
        self.file = file
        self.second = second
        self.pageSize = pageSize
        written = Array(repeating: 0, count: Int(bytes) / pageSize / 64 + 1)
        run.reserveCapacity(Self.longest)
    }

    /// - Parameter page: of ``pageSize`` bytes; nil for zeros.
    /// - Returns: errno of what failed.
    mutating func add(_ page: ArraySlice<UInt8>?, at offset: UInt64) -> Int32? {
        let number = Int(offset) / pageSize
        let (word, bit) = (number / 64, UInt64(1) << (number % 64))
        // A file of zeros has them already.
        if page == nil, written[word] & bit == 0 { return nil }
        written[word] |= bit
        if start + UInt64(run.count) != offset || run.count >= Self.longest {
            if let error = flush() { return error }
            start = offset
        }
        if let page { run += page } else { run += repeatElement(0, count: pageSize) }
        return nil
    }

    /// - Returns: errno of what failed.
    mutating func flush() -> Int32? {
        defer { run.removeAll(keepingCapacity: true) }
        return run.withUnsafeBytes { bytes in
            if let number = second, FileExtents.write(bytes, to: number, at: off_t(start)) != nil { second = nil }
            return FileExtents.write(bytes, to: file, at: off_t(start))
        }
    }
}
