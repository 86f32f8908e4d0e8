/// Why bytes are not JSON, or a value cannot be written as JSON.
public struct JSONError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        case unexpectedByte(UInt8)
        /// The stream ended inside a document.
        case unexpectedEnd
        /// Overlong forms, surrogates and code points above U+10FFFF included.
        case invalidUTF8
        case controlCharacter(UInt8)
        case invalidEscape
        /// A `\u` escape for one half of a surrogate pair.
        case unpairedSurrogate
        /// json-c keeps names as C strings.
        case nulInKey
        case invalidNumber
        /// A whole number beyond 64 bits, or one that overflows a double.
        case numberOutOfRange
        case numberTooLong(limit: Int)
        case tooDeep(limit: Int)
        case documentTooLarge(limit: Int)
        /// NaN and the infinities have no JSON form.
        case notFinite
        /// json-c gave up on something that was checked before: no memory, or a defect.
        case library(String)
    }

    public var code: Code
    /// Bytes from the beginning of the stream to the byte that is wrong, or to the number that is; when encoding, the bytes
    /// are the caller's and this is 0.
    public var offset: Int

    public init(_ code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        switch code {
        case .unexpectedByte(let byte): "unexpected \(Self.name(of: byte)) at byte \(offset)"
        case .unexpectedEnd: "the text ends at byte \(offset), inside a document"
        case .invalidUTF8: "invalid UTF-8 at byte \(offset)"
        case .controlCharacter(let byte): "unescaped control character \(Self.name(of: byte)) at byte \(offset)"
        case .invalidEscape: "invalid escape sequence at byte \(offset)"
        case .unpairedSurrogate: "half a surrogate pair at byte \(offset)"
        case .nulInKey: "a member name with \\u0000 at byte \(offset)"
        case .invalidNumber: "malformed number at byte \(offset)"
        case .numberOutOfRange: "the number at byte \(offset) is beyond 64 bits"
        case .numberTooLong(let limit): "the number at byte \(offset) has more than \(limit) characters"
        case .tooDeep(let limit): "more than \(limit) levels of nesting at byte \(offset)"
        case .documentTooLarge(let limit): "a document of more than \(limit) bytes, at byte \(offset)"
        case .notFinite: "a number that is infinite or not a number has no JSON form"
        case .library(let reason): "json-c refused the document that ends at byte \(offset): \(reason)"
        }
    }

    private static func name(of byte: UInt8) -> String {
        if (0x21...0x7e).contains(byte) { return "'\(Character(UnicodeScalar(byte)))'" }
        let digits = String(byte, radix: 16)
        return "0x" + (digits.count == 1 ? "0" : "") + digits
    }
}
