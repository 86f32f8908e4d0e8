/// What a console has said, in lines, and how far it has been read. Bytes may be anything.
package struct Transcript: Sendable {
    /// A longer line is taken for several.
    private static let longestLine = 4 << 10
    /// What came before that is forgotten.
    private static let mostLines = 20_000

    private var lines: [String] = []
    /// Of a line that has not ended.
    private var rest: [UInt8] = []
    /// What has been found already lies before it: a line, and UTF-8 units of it. One behind the last line is the one that has not ended.
    private var cursor = (line: 0, offset: 0)

    package init() {}

    package mutating func take(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte != UInt8(ascii: "\n") { rest.append(byte) }
            guard byte == UInt8(ascii: "\n") || rest.count >= Self.longestLine else { continue }
            lines.append(Self.text(rest))
            rest.removeAll(keepingCapacity: true)
        }
        let surplus = lines.count - Self.mostLines
        guard surplus > 0 else { return }
        lines.removeFirst(surplus)
        cursor = cursor.line >= surplus ? (cursor.line - surplus, cursor.offset) : (0, 0)
    }

    /// The first line behind what was found last in which the pattern is found, which then is what was found last.
    /// - Throws: when it is no regular expression.
    package mutating func find(_ pattern: String) throws -> String? { try find(CompiledPattern(pattern)) }

    /// Likewise.
    /// - Throws: what looking for it throws.
    package mutating func find(_ pattern: CompiledPattern) throws -> String? {
        for (index, line) in all.enumerated().dropFirst(cursor.line) {
            let begin = index == cursor.line ? min(cursor.offset, line.utf8.count) : 0
            let part = line[line.utf8.index(line.startIndex, offsetBy: begin)...]
            guard let match = try pattern.regex.firstMatch(in: part) else { continue }
            cursor = (index, line.utf8.distance(from: line.startIndex, to: match.range.upperBound))
            return line
        }
        // What has no end may yet grow into it; the lines before it will not.
        if lines.count > cursor.line { cursor = (lines.count, 0) }
        return nil
    }

    /// Forgets what no pattern is looked for in any more: all lines before the one that was found last, or that has not ended.
    package mutating func forget() {
        let read = min(cursor.line, lines.count)
        lines.removeFirst(read)
        cursor.line -= read
    }

    /// In all that was said, whatever was found before.
    /// - Throws: when it is no regular expression.
    package func contains(_ pattern: String) throws -> String? {
        let regex = try Pattern.compile(pattern)
        return try all.first { try regex.firstMatch(in: $0) != nil }
    }

    /// The last lines that are not empty, visible.
    package func last(_ count: Int) -> [String] {
        all.filter { !$0.isEmpty }.suffix(count).map { Visible.text($0) }
    }

    private var all: [String] { rest.isEmpty ? lines : lines + [Self.text(rest)] }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }
}
