/// Takes the pages of one block of RAM out of a stream while QEMU writes it. What is left is a stream that QEMU loads: pages that do
/// not come stay as they are in the memory that it is given.
///
/// Fed with bytes as they come, it says of each piece where it belongs; it keeps none.
public struct RAMSeparator: Sendable {
    /// Some bytes of the stream.
    public struct Piece: Hashable, Sendable {
        /// How many bytes of the input it is.
        public var length: Int
        /// What the stream that is left has of it.
        public var left: Left
        /// The page of the block that it carries.
        public var page: Page?
    }

    public enum Left: Hashable, Sendable {
        case nothing
        case all
        /// These bytes, instead of as many as `replacing` says, and all that follows them.
        case behind([UInt8], replacing: Int)
    }

    public struct Page: Hashable, Sendable {
        /// In the block, bytes.
        public var offset: UInt64
        /// Where its bytes begin in the piece; they are its last. nil: all are zero.
        public var start: Int?
    }

    private enum State {
        case setup
        case elements
        case pages
        case footer
        /// No RAM comes any more.
        case rest
    }

    /// More than the longest list of RAM blocks takes, bytes.
    public static let setupBytes = 1 << 18

    private let name: [UInt8]
    private let blockBytes: UInt64
    private let pageSize: Int
    private var state = State.setup
    private var position: UInt64 = 0
    private var sectionID: UInt32 = 0
    /// That the last word was of; nil before the first.
    private var block: [UInt8]?
    /// That the last word was of which is left in the stream.
    private var blockLeft: [UInt8]?
    /// One is left in any case: a stream without a page looks like one whose pages went through other connections.
    private var hasLeftPage = false
    /// Of the block, by offset. What comes of them later is left, too, or the older would be loaded over it.
    private var leftPages: Set<UInt64> = []
    /// The part of RAM that is under way is the last.
    private var isLast = false

    /// Whether pages are taken out: the stream has the block, and is of the form that is known.
    public private(set) var isSeparating = false

    /// - Parameters:
    ///   - block: its name, as the stream has it.
    ///   - blockBytes: its length. A stream in which it has another one is left as it is.
    ///   - pageSize: of the emulated machine, bytes; QEMU tells it (`query-migrate`, `page-size`).
    public init(block: String, blockBytes: UInt64, pageSize: Int) {
        name = Array(block.utf8)
        self.blockBytes = blockBytes
        self.pageSize = pageSize
        if !Self.knows(pageSize: pageSize) { state = .rest }
    }

    /// Whether pages may be so long, in bytes.
    public static func knows(pageSize: Int) -> Bool {
        pageSize.nonzeroBitCount == 1 && (1024...65_536).contains(pageSize)
    }

    /// The next piece of the stream.
    /// - Parameters:
    ///   - buffer: holds the stream's next bytes at `range`.
    ///   - range: not empty.
    /// - Returns: nil when there are too few of them to tell; never with ``setupBytes`` of them or more.
    /// - Throws: `corrupt` or `unsupported` when pages were taken out and what follows is not known.
    public mutating func next(in buffer: [UInt8], _ range: Range<Int>) throws(StreamError) -> Piece? {
        let piece =
            switch state {
            case .setup: setup(buffer, range)
            case .elements: try element(buffer, range)
            case .pages: try pages(buffer, range)
            case .footer: try footer(buffer, range)
            case .rest: rest(range)
            }
        position += UInt64(piece?.length ?? 0)
        return piece
    }

    /// All that precedes the first page is taken at once.
    private mutating func setup(_ buffer: [UInt8], _ range: Range<Int>) -> Piece? {
        let source = MemorySource(Array(buffer[range.prefix(Self.setupBytes)]))
        if let head = try? StreamHead(reading: source) {
            var walker = Walker(source, head: head, pageSize: UInt64(pageSize), layouts: [])
            if (try? walker.walkSetup()) != nil, walker.cursor.remaining > 0 {
                let block = walker.ramBlocks.first { Array($0.name.utf8) == name }
                let ids = walker.iterables
                guard head.capabilities.isEmpty, head.pageSize ?? UInt64(pageSize) == UInt64(pageSize),
                    ids.count == 1, let id = ids.first, id.value == "ram", walker.early.isEmpty, walker.pageCount == 0,
                    block?.length == blockBytes
                else {
                    state = .rest
                    return rest(range)
                }
                sectionID = id.key
                state = .elements
                isSeparating = true
                return Piece(length: Int(walker.cursor.position), left: .all)
            }
        }
        guard range.count >= Self.setupBytes else { return nil }
        state = .rest
        return rest(range)
    }

    private func rest(_ range: Range<Int>) -> Piece { Piece(length: range.count, left: .all) }

    private mutating func element(_ buffer: [UInt8], _ range: Range<Int>) throws(StreamError) -> Piece? {
        let type = buffer[range.lowerBound]
        // Its number, and how many bytes follow.
        if type == Wire.command {
            guard range.count >= 5 else { return nil }
            let length = 5 + Int(buffer.uint32(at: range.lowerBound + 1) & 0xffff)
            return range.count >= length ? Piece(length: length, left: .all) : nil
        }
        // A save behind the guest's back ends RAM without saying so; devices never come before its last part.
        if type == Wire.sectionFull {
            state = .rest
            return rest(range)
        }
        guard type == Wire.sectionPart || type == Wire.sectionEnd else {
            throw StreamError(
                .unsupported,
                at: position,
                in: "ram",
                "a section of type \(type) follows, not the next part"
            )
        }
        guard range.count >= 5 else { return nil }
        let id = buffer.uint32(at: range.lowerBound + 1)
        guard id == sectionID else {
            throw StreamError(.corrupt, at: position, "section number \(id) goes on, but never began")
        }
        isLast = type == Wire.sectionEnd
        state = .pages
        return Piece(length: 5, left: .all)
    }

    private mutating func footer(_ buffer: [UInt8], _ range: Range<Int>) throws(StreamError) -> Piece? {
        guard range.count >= 5 else { return nil }
        guard buffer[range.lowerBound] == Wire.footer, buffer.uint32(at: range.lowerBound + 1) == sectionID else {
            throw StreamError(.corrupt, at: position, in: "ram", "its footer is missing")
        }
        state = isLast ? .rest : .elements
        return Piece(length: 5, left: .all)
    }

    private mutating func pages(_ buffer: [UInt8], _ range: Range<Int>) throws(StreamError) -> Piece? {
        guard range.count >= 8 else { return nil }
        let number = buffer.uint64(at: range.lowerBound)
        let flags = number & UInt64(pageSize - 1)
        switch flags & ~RAMFlag.sameBlock {
        case RAMFlag.endOfSection:
            state = .footer
            return Piece(length: 8, left: .all)
        case RAMFlag.multifdFlush:
            return Piece(length: 8, left: .all)
        case RAMFlag.zero, RAMFlag.page, RAMFlag.xbzrle, RAMFlag.compressed:
            guard let word = try word(number, flags, buffer, range) else { return nil }
            return try piece(of: word)
        default:
            throw StreamError(.corrupt, at: position, in: "ram", "no page has flags 0x\(String(flags, radix: 16))")
        }
    }

    /// A word with a page, the block's name if it has one, and what follows.
    private struct Word {
        var number: UInt64
        var offset: UInt64
        var kind: UInt64
        var block: [UInt8]
        /// It carries the page itself, or says that it is all zeros.
        var isPlain: Bool
        /// Bytes.
        var headerLength: Int
        var length: Int
    }

    private func word(
        _ number: UInt64,
        _ flags: UInt64,
        _ buffer: [UInt8],
        _ range: Range<Int>
    ) throws(StreamError) -> Word? {
        var header = 8
        var named = block
        if flags & RAMFlag.sameBlock == 0 {
            guard range.count > header else { return nil }
            let start = header + 1
            header = start + Int(buffer[range.lowerBound + header])
            guard range.count >= header else { return nil }
            named = Array(buffer[range.lowerBound + start..<range.lowerBound + header])
        }
        guard let named else { throw StreamError(.corrupt, at: position, in: "ram", "its first page is of no block") }
        let kind = flags & ~RAMFlag.sameBlock
        guard let payload = try payload(of: kind, buffer, range.dropFirst(header)), range.count >= header + payload
        else { return nil }
        return Word(
            number: number,
            offset: number - flags,
            kind: kind,
            block: named,
            isPlain: kind == RAMFlag.page || kind == RAMFlag.zero && buffer[range.lowerBound + header] == 0,
            headerLength: header,
            length: header + payload
        )
    }

    /// - Returns: how many bytes follow a word of that kind and its name; nil when there are too few to tell.
    private func payload(
        of kind: UInt64,
        _ buffer: [UInt8],
        _ range: Range<Int>
    ) throws(StreamError) -> Int? {
        let start = range.lowerBound
        let packed: (head: Int, bytes: Int)
        switch kind {
        case RAMFlag.zero: return 1
        case RAMFlag.page: return pageSize
        case RAMFlag.xbzrle:
            guard range.count >= 3 else { return nil }
            packed = (3, Int(buffer[start + 1]) << 8 | Int(buffer[start + 2]))
        default:
            guard range.count >= 4 else { return nil }
            packed = (4, Int(buffer.uint32(at: start)))
        }
        guard packed.bytes <= 2 * pageSize else {
            throw StreamError(
                .corrupt,
                at: position,
                in: "ram",
                "a page does not take \(packed.bytes) bytes when packed"
            )
        }
        return packed.head + packed.bytes
    }

    private mutating func piece(of word: Word) throws(StreamError) -> Piece {
        var piece = Piece(length: word.length, left: .all)
        block = word.block
        let isRAM = word.block == name
        if isRAM, word.isPlain {
            guard word.offset < blockBytes, blockBytes - word.offset >= UInt64(pageSize) else {
                throw StreamError(.corrupt, at: position, in: "ram", "there is no page \(word.offset) in the block")
            }
            piece.page = Page(offset: word.offset, start: word.kind == RAMFlag.page ? word.headerLength : nil)
            if hasLeftPage, !leftPages.contains(word.offset) {
                piece.left = .nothing
                return piece
            }
        }
        if word.number & RAMFlag.sameBlock != 0, blockLeft != word.block {
            let number = word.number & ~RAMFlag.sameBlock
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
            piece.left = .behind(bytes + [UInt8(word.block.count)] + word.block, replacing: 8)
        }
        if isRAM { leftPages.insert(word.offset) }
        blockLeft = word.block
        hasLeftPage = true
        return piece
    }
}
