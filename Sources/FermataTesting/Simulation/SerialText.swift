/// What has come out of a serial port and was not found yet. A value; bytes may be anything.
struct SerialText {
    /// More than that is forgotten, from its beginning on: a guest that talks without end must not fill the memory.
    static let longest = 1 << 20

    /// Bytes that are no UTF-8 as U+FFFD.
    private(set) var unread = ""
    /// All bytes that ever came.
    private(set) var received = 0
    /// The beginning of a character whose end has not come.
    private var partial: [UInt8] = []

    mutating func take(_ bytes: some Collection<UInt8>) {
        received += bytes.count
        let all = partial + bytes
        let whole = all.count - Self.unfinished(all)
        partial = Array(all[whole...])
        unread += String(decoding: all[..<whole], as: UTF8.self)
        if unread.utf8.count > Self.longest { skip(unread.utf8.count - Self.longest / 2) }
    }

    /// - Parameter count: UTF-8 units; a character of which they are the beginning goes whole.
    mutating func skip(_ count: Int) {
        var index = unread.utf8.index(unread.startIndex, offsetBy: min(count, unread.utf8.count))
        while index < unread.endIndex, index.samePosition(in: unread.unicodeScalars) == nil {
            unread.utf8.formIndex(after: &index)
        }
        unread = String(unread.unicodeScalars[index...])
    }

    /// How many bytes at the end are the beginning of a character.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for count in 1...3 where count <= bytes.count {
            switch bytes[bytes.count - count] {
            case 0x80...0xbf: continue
            case 0xc2...0xdf: return count < 2 ? count : 0
            case 0xe0...0xef: return count < 3 ? count : 0
            case 0xf0...0xf4: return count
            default: return 0
            }
        }
        return 0
    }
}
