extension StrictLexer {
    enum StringState: Hashable {
        case plain
        /// Behind a backslash.
        case escape
        /// Inside `\uXXXX`: digits to come, value so far.
        case hex(left: Int, value: UInt32)
        /// Behind the first half of a surrogate pair: the backslash, the `u`, the digits of the second half.
        case lowBackslash
        case lowMark
        case lowHex(left: Int, value: UInt32)
        /// Inside a UTF-8 sequence: bytes to come, and the range that the next one must be in.
        case sequence(left: Int, low: UInt8, high: UInt8)
    }

    mutating func scanString(
        _ string: StringState,
        _ input: UnsafeBufferPointer<UInt8>,
        from position: inout Int
    ) throws(JSONError) {
        if string == .plain {
            scanPlain(input, from: &position)
            guard position < input.count, offset - documentStart < limits.documentBytes else { return }
        }
        let byte = input[position]
        let next = try step(string, byte)
        document.append(byte)
        advance(&position)
        if let next {
            state = .string(next)
        } else if inKey {
            state = .colon
        } else {
            endValue()
        }
    }

    /// Most bytes of most strings need no look of their own.
    private mutating func scanPlain(_ input: UnsafeBufferPointer<UInt8>, from position: inout Int) {
        let most = min(input.count, position + limits.documentBytes - (offset - documentStart))
        var end = position
        while end < most, (0x20...0x7f).contains(input[end]), input[end] != 0x22, input[end] != 0x5c { end += 1 }
        document.append(contentsOf: UnsafeBufferPointer(rebasing: input[position..<end]))
        advance(&position, by: end - position)
    }

    /// The state behind `byte`; nil when it ends the string.
    private func step(_ string: StringState, _ byte: UInt8) throws(JSONError) -> StringState? {
        switch string {
        case .plain:
            return try stepPlain(byte)
        case .escape:
            switch byte {
            case UInt8(ascii: "u"): return .hex(left: 4, value: 0)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
                UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
                return .plain
            default: throw JSONError(.invalidEscape, offset: offset)
            }
        case .hex(let left, let value):
            let value = try value << 4 | hexDigit(byte)
            if left > 1 { return .hex(left: left - 1, value: value) }
            switch value {
            case 0 where inKey: throw JSONError(.nulInKey, offset: offset)
            case 0xd800...0xdbff: return .lowBackslash
            case 0xdc00...0xdfff: throw JSONError(.unpairedSurrogate, offset: offset)
            default: return .plain
            }
        case .lowBackslash:
            guard byte == UInt8(ascii: "\\") else { throw JSONError(.unpairedSurrogate, offset: offset) }
            return .lowMark
        case .lowMark:
            guard byte == UInt8(ascii: "u") else { throw JSONError(.unpairedSurrogate, offset: offset) }
            return .lowHex(left: 4, value: 0)
        case .lowHex(let left, let value):
            let value = try value << 4 | hexDigit(byte)
            if left > 1 { return .lowHex(left: left - 1, value: value) }
            guard (0xdc00...0xdfff).contains(value) else { throw JSONError(.unpairedSurrogate, offset: offset) }
            return .plain
        case .sequence(let left, let low, let high):
            guard low <= byte, byte <= high else { throw JSONError(.invalidUTF8, offset: offset) }
            return left > 1 ? .sequence(left: left - 1, low: 0x80, high: 0xbf) : .plain
        }
    }

    private func stepPlain(_ byte: UInt8) throws(JSONError) -> StringState? {
        switch byte {
        case UInt8(ascii: "\""): return nil
        case UInt8(ascii: "\\"): return .escape
        case 0x00...0x1f: throw JSONError(.controlCharacter(byte), offset: offset)
        case 0x20...0x7f: return .plain
        // Table 3-7 of the Unicode standard: the second byte's range is what keeps out overlong forms, surrogates and
        // code points above U+10FFFF.
        case 0xc2...0xdf: return .sequence(left: 1, low: 0x80, high: 0xbf)
        case 0xe0: return .sequence(left: 2, low: 0xa0, high: 0xbf)
        case 0xe1...0xec, 0xee, 0xef: return .sequence(left: 2, low: 0x80, high: 0xbf)
        case 0xed: return .sequence(left: 2, low: 0x80, high: 0x9f)
        case 0xf0: return .sequence(left: 3, low: 0x90, high: 0xbf)
        case 0xf1...0xf3: return .sequence(left: 3, low: 0x80, high: 0xbf)
        case 0xf4: return .sequence(left: 3, low: 0x80, high: 0x8f)
        default: throw JSONError(.invalidUTF8, offset: offset)
        }
    }

    private func hexDigit(_ byte: UInt8) throws(JSONError) -> UInt32 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt32(byte - UInt8(ascii: "A") + 10)
        default: throw JSONError(.invalidEscape, offset: offset)
        }
    }
}
