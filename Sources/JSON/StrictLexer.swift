/// Reads a byte stream against RFC 8259, split anywhere, and hands each document on in the form that json-c gets right.
///
/// json-c's own strict mode lets single quotes, NaN, raw control characters, overlong UTF-8 and `[1.]` pass, clamps whole
/// numbers beyond 64 bits and keeps only the last of several members with one name. So everything is checked here, and
/// every member name gets a running number in front (`"7:name"`), which makes it unique in its object; ``TreeReader``
/// takes it off again. White space is left out.
struct StrictLexer {
    enum State: Hashable {
        case betweenDocuments
        case value
        case valueOrEnd
        case key
        case keyOrEnd
        case colon
        case separatorOrEnd
        case string(StringState)
        case number(NumberState)
        /// What is left of `true`, `false` or `null`.
        case literal(ArraySlice<UInt8>)
    }

    static let longestNumber = 1024

    let limits: JSONLimits
    var state = State.betweenDocuments
    /// Bytes taken since the beginning of the stream.
    var offset = 0
    /// The document so far, as json-c shall see it.
    var document: [UInt8] = []
    var documentStart = 0
    /// One entry a level: is it an object?
    var containers: [Bool] = []
    var memberCount = 0
    var inKey = false
    /// Where the number under way begins, in the stream and in `document`.
    var numberStart = (stream: 0, document: 0)

    init(limits: JSONLimits) {
        self.limits = limits
    }

    /// Takes bytes from `position` on, up to the end of a document (true: it is in `document`) or of the input (false).
    mutating func scan(_ input: UnsafeBufferPointer<UInt8>, from position: inout Int) throws(JSONError) -> Bool {
        while position < input.count {
            if state != .betweenDocuments, offset - documentStart >= limits.documentBytes {
                throw JSONError(.documentTooLarge(limit: limits.documentBytes), offset: offset)
            }
            let byte = input[position]
            switch state {
            case .string(let string):
                try scanString(string, input, from: &position)
            case .number(let number):
                // The byte behind a number belongs to what follows.
                if let next = number.next(byte) {
                    try extendNumber(byte, next)
                    advance(&position)
                } else {
                    try endNumber(number)
                }
            case .literal(let rest):
                guard byte == rest.first else { throw unexpected(byte) }
                document.append(byte)
                state = .literal(rest.dropFirst())
                advance(&position)
                if rest.count == 1 { endValue() }
            default:
                if Self.isWhiteSpace(byte) {
                    advance(&position)
                } else if state == .betweenDocuments {
                    beginDocument()
                    continue
                } else {
                    try scanStructure(byte)
                    advance(&position)
                }
            }
            if state == .betweenDocuments, !document.isEmpty { return true }
        }
        return false
    }

    /// The stream is over: true when that ended a number which is a document.
    mutating func finish() throws(JSONError) -> Bool {
        switch state {
        case .betweenDocuments:
            return false
        case .number(let number) where containers.isEmpty && number.isComplete:
            try endNumber(number)
            return true
        default:
            throw JSONError(.unexpectedEnd, offset: offset)
        }
    }

    private mutating func scanStructure(_ byte: UInt8) throws(JSONError) {
        switch (state, byte) {
        case (.valueOrEnd, UInt8(ascii: "]")), (.keyOrEnd, UInt8(ascii: "}")):
            endContainer(byte)
        case (.key, UInt8(ascii: "\"")), (.keyOrEnd, UInt8(ascii: "\"")):
            beginKey()
        case (.colon, UInt8(ascii: ":")):
            document.append(byte)
            state = .value
        case (.separatorOrEnd, UInt8(ascii: ",")):
            document.append(byte)
            state = containers.last == true ? .key : .value
        case (.separatorOrEnd, UInt8(ascii: "]")) where containers.last == false,
            (.separatorOrEnd, UInt8(ascii: "}")) where containers.last == true:
            endContainer(byte)
        case (.value, _), (.valueOrEnd, _):
            try beginValue(byte)
        default:
            throw unexpected(byte)
        }
    }

    private mutating func beginDocument() {
        document.removeAll(keepingCapacity: document.capacity <= 1 << 20)
        documentStart = offset
        memberCount = 0
        state = .value
    }

    private mutating func beginValue(_ byte: UInt8) throws(JSONError) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard containers.count < limits.depth else {
                throw JSONError(.tooDeep(limit: limits.depth), offset: offset)
            }
            let isObject = byte == UInt8(ascii: "{")
            containers.append(isObject)
            state = isObject ? .keyOrEnd : .valueOrEnd
        case UInt8(ascii: "\""):
            inKey = false
            state = .string(.plain)
        case UInt8(ascii: "t"):
            state = .literal(Self.true[1...])
        case UInt8(ascii: "f"):
            state = .literal(Self.false[1...])
        case UInt8(ascii: "n"):
            state = .literal(Self.null[1...])
        default:
            guard let number = NumberState.first(byte) else { throw unexpected(byte) }
            numberStart = (stream: offset, document: document.count)
            state = .number(number)
        }
        document.append(byte)
    }

    private mutating func beginKey() {
        document.append(UInt8(ascii: "\""))
        document.append(contentsOf: String(memberCount).utf8)
        document.append(UInt8(ascii: ":"))
        memberCount += 1
        inKey = true
        state = .string(.plain)
    }

    private mutating func endContainer(_ byte: UInt8) {
        document.append(byte)
        containers.removeLast()
        endValue()
    }

    mutating func endValue() {
        state = containers.isEmpty ? .betweenDocuments : .separatorOrEnd
    }

    mutating func advance(_ position: inout Int, by count: Int = 1) {
        position += count
        offset += count
    }

    func unexpected(_ byte: UInt8) -> JSONError {
        JSONError(.unexpectedByte(byte), offset: offset)
    }

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    private static let `true` = Array("true".utf8)[...]
    private static let `false` = Array("false".utf8)[...]
    private static let null = Array("null".utf8)[...]
}
