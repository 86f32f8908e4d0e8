@testable import MigrationStream

/// What a stream became whose RAM was taken out of it, piece by piece.
struct Separation {
    var left: [UInt8] = []
    /// The last of each page of the block; empty for one of zeros.
    var pages: [UInt64: [UInt8]] = [:]
    let isSeparating: Bool

    /// - Parameter chunks: how many bytes come at a time, again and again.
    init(
        of bytes: [UInt8],
        block: String,
        bytes blockBytes: UInt64,
        pageSize: Int = 4096,
        chunks: [Int]
    ) throws(StreamError) {
        var separator = RAMSeparator(block: block, blockBytes: blockBytes, pageSize: pageSize)
        var (start, end, turn) = (0, 0, 0)
        while start < bytes.count {
            if let piece = try separator.next(in: bytes, start..<max(end, start + 1)) {
                let input = bytes[start..<start + piece.length]
                precondition(start + piece.length <= max(end, start + 1), "more than there was")
                switch piece.left {
                case .nothing: break
                case .all: left += input
                case .behind(let prefix, let replaced): left += prefix + input.dropFirst(replaced)
                }
                if let page = piece.page { pages[page.offset] = page.start.map { Array(input.dropFirst($0)) } ?? [] }
                start += piece.length
            } else if end >= bytes.count {
                // What is left over when the stream ends belongs to it.
                left += bytes[start...]
                break
            }
            end = min(max(end, start) + chunks[turn % chunks.count], bytes.count)
            turn += 1
        }
        isSeparating = separator.isSeparating
    }
}

/// All pages of a classic stream, by block and offset, read by a second, simpler hand.
struct PageTable: Hashable {
    var pages: [String: [UInt64: [UInt8]]] = [:]

    init(_ bytes: [UInt8], pageSize: Int = 4096) throws {
        var position = 8
        func number(_ count: Int) -> UInt64 {
            defer { position += count }
            return bytes[position..<position + count].reduce(0) { $0 << 8 | UInt64($1) }
        }
        func name() -> String {
            let length = Int(number(1))
            defer { position += length }
            return String(decoding: bytes[position..<position + length], as: UTF8.self)
        }
        // Behind the first section, which begins RAM.
        var walker = try Walker(
            MemorySource(bytes),
            head: StreamHead(reading: MemorySource(bytes)),
            pageSize: UInt64(pageSize),
            layouts: []
        )
        try walker.walkSetup()
        position = Int(walker.cursor.position)
        var block = ""
        while bytes[position] == 2 || bytes[position] == 3 {
            position += 5
            reading: while true {
                let word = number(8)
                let flags = word & 0x3ff
                if flags & 0x10 != 0 { break reading }
                if flags == 0x200 { continue }
                if flags & 0x20 == 0 { block = name() }
                let count = flags & 0x8 != 0 ? pageSize : 1
                let page = Array(bytes[position..<position + count])
                position += count
                pages[block, default: [:]][word & ~0x3ff] = page.allSatisfy { $0 == 0 } ? [] : page
            }
            position += 5
        }
    }
}
