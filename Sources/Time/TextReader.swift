/// Reads the fixed forms of times from untrusted text, byte by byte: all that they are made of is ASCII, but for `µ`.
struct TextReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = text[...].utf8
    }

    var atEnd: Bool { rest.isEmpty }

    /// Takes `expected` when it comes next.
    mutating func take(_ expected: String) -> Bool {
        guard rest.starts(with: expected.utf8) else { return false }
        rest.removeFirst(expected.utf8.count)
        return true
    }

    /// Takes all decimal digits that come next; nil when there is none.
    mutating func digits() -> Substring.UTF8View? {
        let found = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard !found.isEmpty else { return nil }
        rest.removeFirst(found.count)
        return found
    }

    /// Takes exactly `count` digits (9 at most) as a number; nil, and nothing is taken, when there are fewer.
    mutating func number(ofDigits count: Int) -> Int? {
        let found = rest.prefix(count)
        guard found.count == count, found.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        rest.removeFirst(count)
        return found.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
