import JSON
import Testing

/// What json-c 0.16 lets pass even when it is strict, or gets wrong, and must not.
@Suite struct JSONStrictnessTests {
    @Test(arguments: [
        ("['a']", 1), ("{'a':1}", 1), ("[NaN]", 1), ("[Infinity]", 1), ("[TRUE]", 1), ("[nul]", 4),
        ("[1,]", 3), ("{\"a\":1,}", 7), ("[,1]", 1), ("{,}", 1), ("/* */[]", 0), ("[1 // x\n]", 3), ("[01]", 2),
        ("[+1]", 1), ("[.5]", 1), ("[1 2]", 3), ("{\"a\" 1}", 5), ("{1:2}", 1), ("[}", 1), ("{]", 1), ("[1}", 2),
        ("{\"a\":1]", 6), ("]", 0), (",", 0), ("[0x10]", 2), ("{\"a\"}", 4), ("\u{FEFF}[]", 0),
        ("[\u{0}]", 1), ("\u{0}", 0), ("[1\u{0}]", 2), ("truex", 4),
    ])
    func `an unexpected byte is refused where it stands`(text: String, offset: Int) {
        let error = failure(of: text)
        #expect(error?.offset == offset, "\(String(describing: error))")
        guard case .unexpectedByte(let byte)? = error?.code else {
            Issue.record("\(text): \(String(describing: error))")
            return
        }
        #expect(byte == Array(text.utf8)[offset])
    }

    @Test(arguments: [
        ("[1.]", 1), ("[1.e5]", 1), ("[1e]", 1), ("[1e+]", 1), ("[-]", 1), ("[ -a]", 2), ("1.x", 0), ("[-Infinity]", 1),
        ("[--1]", 1),
    ])
    func `a malformed number is refused where it begins`(text: String, offset: Int) {
        #expect(failure(of: text) == JSONError(.invalidNumber, offset: offset))
    }

    @Test(arguments: [
        "18446744073709551616", "-9223372036854775809", "99999999999999999999999999", "1e999", "-1e999", "1.8e308",
        "123456789012345678901234567890",
    ])
    func `a number that would not come through exactly is refused, not clamped`(text: String) {
        #expect(failure(of: "[0, \(text)]") == JSONError(.numberOutOfRange, offset: 4))
    }

    @Test func `a number of any length costs no memory`() {
        let text = "[0." + String(repeating: "1", count: 100_000) + "]"
        #expect(failure(of: text) == JSONError(.numberTooLong(limit: 1024), offset: 1))
    }

    @Test(arguments: [UInt8(0), 1, 9, 10, 13, 31])
    func `control characters in strings and names are refused`(byte: UInt8) {
        let string = Array("[\"ab".utf8) + [byte] + Array("\"]".utf8)
        #expect(failure(of: string) == JSONError(.controlCharacter(byte), offset: 4))
        let key = Array("{\"ab".utf8) + [byte] + Array("\":1}".utf8)
        #expect(failure(of: key) == JSONError(.controlCharacter(byte), offset: 4))
    }

    /// Valid and invalid neighbours at every border of the UTF-8 table.
    @Test(
        arguments: [
            ([0xC2, 0x80], nil), ([0xDF, 0xBF], nil), ([0xE0, 0xA0, 0x80], nil), ([0xED, 0x9F, 0xBF], nil),
            ([0xEE, 0x80, 0x80], nil), ([0xEF, 0xBF, 0xBF], nil), ([0xF0, 0x90, 0x80, 0x80], nil),
            ([0xF4, 0x8F, 0xBF, 0xBF], nil),
            ([0x80], 0), ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0), ([0xC2, 0x22], 1), ([0xE0, 0x9F, 0xBF], 1),
            ([0xED, 0xA0, 0x80], 1), ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF5, 0x80], 0),
            ([0xFF], 0), ([0xE2, 0x82, 0x41], 2), ([0xF0, 0x9F, 0x98, 0x22], 3), ([0xFE], 0),
        ] as [([UInt8], Int?)]
    )
    func `UTF-8 is checked to the letter`(bytes: [UInt8], wrong: Int?) {
        let document = Array("[\"".utf8) + bytes + Array("\"]".utf8)
        let expected = wrong.map { JSONError(.invalidUTF8, offset: 2 + $0) }
        #expect(failure(of: document) == expected)
        let key = Array("{\"".utf8) + bytes + Array("\":0}".utf8)
        #expect(failure(of: key) == expected)
    }

    @Test(arguments: [("\\x", 1), ("\\'", 1), ("\\U0041", 1), ("\\u004g", 5), ("\\u 041", 2), ("\\0", 1)])
    func `unknown escapes are refused`(escape: String, offset: Int) {
        #expect(failure(of: "[\"\(escape)\"]") == JSONError(.invalidEscape, offset: 2 + offset))
    }

    @Test(arguments: [
        ("\\ud800", 6), ("\\udc00", 5), ("\\ud800x", 6), ("\\ud800\\n", 7), ("\\ud800\\ud800", 11),
        ("\\udbff\\u0041", 11),
    ])
    func `half a surrogate pair is refused`(escape: String, offset: Int) {
        #expect(failure(of: "[\"\(escape)\"]") == JSONError(.unpairedSurrogate, offset: 2 + offset))
    }

    @Test func `NUL in a name is refused, since json-c would cut the name there`() {
        #expect(failure(of: "{\"a\\u0000b\":1}") == JSONError(.nulInKey, offset: 8))
    }

    @Test func `every error reads as a sentence part with its place`() {
        for text in ["[1,]", "[\"\\x\"]", "[1e999]", "{", "[\"\\ud800\"]", "{\"\\u0000\":1}", "[1.]"] {
            let error = failure(of: text)
            #expect(error.map { "\($0)".contains("byte \($0.offset)") } == true, "\(text)")
        }
        #expect("\(JSONError(.unexpectedByte(0), offset: 3))" == "unexpected 0x00 at byte 3")
        #expect("\(JSONError(.unexpectedByte(0x7b), offset: 3))" == "unexpected '{' at byte 3")
    }
}
