/// Cuts what comes in pieces into lines. Each byte is looked at once, however long a line gets: a report of ten thousand machines is one.
package struct LineSplitter {
    private var unfinished: [UInt8] = []

    package init() {}

    /// Of the line that has not ended yet.
    package var pending: Int { unfinished.count }

    /// - Returns: the lines that end in this piece, without their ends; empty ones are left out.
    package mutating func take(_ piece: some Sequence<UInt8>) -> [[UInt8]] {
        var parts = Array(piece).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rest = parts.removeLast()
        var lines: [[UInt8]] = []
        for part in parts {
            let line = unfinished + part
            unfinished = []
            if !line.isEmpty { lines.append(line) }
        }
        unfinished += rest
        return lines
    }
}
