import CShims
import Glibc

/// Pages that a running process has mapped and not touched.
enum ProcessPages {
    /// How a ``bringIn(_:of:while:)`` ended.
    enum Outcome: Hashable, Sendable {
        case all
        /// Time was up: bytes that were reached, of those that are mapped.
        case some(reached: UInt64, of: UInt64)
        /// The system said no: errno.
        case refused(Int32)
    }

    private static let pageSize: UInt64 = 4096
    /// As many as one call takes (UIO_MAXIOV): 4 MiB.
    private static let pagesAtOnce = 1024

    /// Has every page of a file in the process's own page table, by reading a byte of each on its behalf; where the file is a hole, on a
    /// tmpfs, it becomes memory. The process runs on meanwhile and is not asked.
    /// - Parameters:
    ///   - path: as the process opened it, absolute.
    ///   - isWanted: asked every 4 MiB.
    /// - Returns: `.all` also when nothing of the file is mapped.
    static func bringIn(_ path: String, of pid: Int32, while isWanted: () -> Bool) -> Outcome {
        let text = String(decoding: ProcFile.read("/proc/\(pid)/maps") ?? [], as: UTF8.self)
        let mappings = mappings(of: path, in: text)
        let total = mappings.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
        var reached: UInt64 = 0
        for mapping in mappings {
            var address = mapping.lowerBound
            while address < mapping.upperBound {
                guard isWanted() else { return .some(reached: reached, of: total) }
                let end = min(address + pageSize * UInt64(pagesAtOnce), mapping.upperBound)
                if let error = read(address..<end, of: pid) { return .refused(error) }
                reached += end - address
                address = end
            }
        }
        return .all
    }

    /// Where a file is mapped, by the text of a `/proc/PID/maps`.
    static func mappings(of path: String, in text: String) -> [Range<UInt64>] {
        text.split(separator: "\n").compactMap { line in
            // start-end permissions offset device inode path
            let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
            guard fields.count == 6, fields[5].drop(while: { $0 == " " }) == path else { return nil }
            let bounds = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
            return bounds[0]..<bounds[1]
        }
    }

    /// - Returns: errno, or nil.
    private static func read(_ range: Range<UInt64>, of pid: Int32) -> Int32? {
        let count = Int((range.upperBound - range.lowerBound) / pageSize)
        let result = fermata_read_pages(pid, UInt(range.lowerBound), Int(pageSize), count)
        return result == 0 ? nil : -result
    }
}
