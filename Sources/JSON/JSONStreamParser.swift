import CJSONC

/// Reads JSON documents from a byte stream that comes in pieces of any size.
///
/// Documents may follow each other with or without white space; only a number at the top level needs a byte behind it, or
/// ``finish()``. The parser is strict (RFC 8259), except that it accepts members of one name and keeps them all. It
/// refuses what the standard leaves open and what would not come through exactly: whole numbers beyond 64 bits, doubles
/// that overflow, NUL in member names, half surrogate pairs. An error is final: the stream has lost its framing.
public struct JSONStreamParser: ~Copyable {
    private var lexer: StrictLexer
    private let tokener: UnsafeMutablePointer<json_tokener>?
    private var input: [UInt8] = []
    private var position = 0
    private var failure: JSONError?

    public init(limits: JSONLimits = JSONLimits()) {
        lexer = StrictLexer(limits: limits)
        // The lexer counts; json-c's own limit counts a scalar inside the innermost level, too.
        let tokener = json_tokener_new_ex(Int32(limits.depth) + 2)
        // ALLOW_TRAILING_CHARS is for the byte that ends a number.
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS)
        self.tokener = tokener
    }

    deinit {
        json_tokener_free(tokener)
    }

    /// Where the next byte that ``next()`` looks at stands in the stream.
    public var offset: Int { lexer.offset }

    /// Whether the bytes looked at so far end inside a document.
    public var isInsideDocument: Bool { lexer.state != .betweenDocuments }

    /// Adds what came. Take all documents with ``next()`` before you add more, else they pile up here.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if position == input.count {
            input.removeAll(keepingCapacity: true)
            position = 0
        }
        input.append(contentsOf: bytes)
    }

    /// The next whole document; nil when more bytes are needed.
    public mutating func next() throws(JSONError) -> JSONValue? {
        if let failure { throw failure }
        do throws(JSONError) {
            // No `? :` here: `nil` beside a value is that value's null, a document that never came.
            guard try scan() else { return nil }
            return try tree()
        } catch {
            failure = error
            throw error
        }
    }

    /// The stream is over: the number that this ended, if any; `unexpectedEnd` inside a document. Call it when ``next()``
    /// gave nil.
    public mutating func finish() throws(JSONError) -> JSONValue? {
        if let failure { throw failure }
        do throws(JSONError) {
            guard try lexer.finish() else { return nil }
            return try tree()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func scan() throws(JSONError) -> Bool {
        // The local reference lets the closure change the lexer while the bytes are being read.
        let bytes = input
        return try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in
            try lexer.scan(bytes, from: &position)
        }
    }

    /// json-c gets each document in one call: it switches the locale in every one, which costs more than a short message,
    /// and none of its state between calls needs to be trusted.
    private mutating func tree() throws(JSONError) -> JSONValue {
        lexer.document.append(UInt8(ascii: "\n"))
        guard let length = Int32(exactly: lexer.document.count) else {
            throw JSONError(.documentTooLarge(limit: Int(Int32.max)), offset: lexer.offset)
        }
        guard let tokener else { throw JSONError(.library("out of memory"), offset: lexer.offset) }
        json_tokener_reset(tokener)
        let node = lexer.document.withUnsafeBytes { bytes in
            json_tokener_parse_ex(tokener, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length)
        }
        defer { json_object_put(node) }
        let status = json_tokener_get_error(tokener)
        guard status == json_tokener_success else {
            let reason = json_tokener_error_desc(status).map { String(cString: $0) } ?? "unknown error"
            throw JSONError(.library(reason), offset: lexer.offset)
        }
        guard let value = TreeReader.value(of: node) else {
            throw JSONError(.library("a tree that was not asked for"), offset: lexer.offset)
        }
        lexer.document.removeAll(keepingCapacity: lexer.document.capacity <= 1 << 20)
        return value
    }
}

extension JSONValue {
    /// One whole document, with nothing but white space around it.
    public init(parsing bytes: some Sequence<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        var parser = JSONStreamParser(limits: limits)
        parser.append(bytes)
        let first = try parser.next()
        if first != nil {
            let end = parser.offset
            if try parser.next() != nil || parser.isInsideDocument {
                throw JSONError(.unexpectedByte(parser.byte(at: end)), offset: end)
            }
        }
        if let first {
            self = first
        } else if let number = try parser.finish() {
            self = number
        } else {
            throw JSONError(.unexpectedEnd, offset: parser.offset)
        }
    }

    /// One whole document, with nothing but white space around it.
    public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(parsing: text.utf8, limits: limits)
    }
}

extension JSONStreamParser {
    /// The first byte from there on that is no white space; the whole stream must still be here.
    fileprivate func byte(at offset: Int) -> UInt8 {
        input.dropFirst(offset).first { !StrictLexer.isWhiteSpace($0) } ?? 0
    }
}
