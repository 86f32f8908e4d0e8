import JSON
import Testing

@Suite struct JSONStreamParserTests {
    @Test func `documents back to back, with and without white space, come one by one`() throws {
        let text = "{\"a\":1}[2] true\r\n\"x\"{}null 7 8.5 [] 9"
        let expected: [JSONValue] = [["a": 1], [2], true, "x", [:], nil, 7, 8.5, [], 9]
        #expect(try documents(in: text) == expected)
    }

    @Test func `a document is there as soon as its last byte is`() throws {
        var parser = JSONStreamParser()
        parser.append(Array("{\"a\":[1,2".utf8))
        let value1 = try parser.next()
        #expect(value1 == nil)
        let isInside = parser.isInsideDocument
        #expect(isInside)
        parser.append(Array("]}".utf8))
        let value2 = try parser.next()
        #expect(value2 == ["a": [1, 2]])
        let isStillInside = parser.isInsideDocument
        #expect(!isStillInside)
    }

    @Test func `a number at the top level ends with the byte behind it, or with the stream`() throws {
        var parser = JSONStreamParser()
        parser.append(Array("12".utf8))
        let value3 = try parser.next()
        #expect(value3 == nil)
        parser.append(Array("34 ".utf8))
        let value4 = try parser.next()
        #expect(value4 == 1234)
        parser.append(Array("5".utf8))
        let value5 = try parser.next()
        #expect(value5 == nil)
        let value6 = try parser.finish()
        #expect(value6 == 5)
    }

    @Test func `every number of 64 bits comes through exactly`() throws {
        let text = "[9223372036854775807,9223372036854775808,18446744073709551615,-9223372036854775808,0,-0]"
        let expected: JSONValue = .array([
            .integer(.max), .unsigned(9_223_372_036_854_775_808), .unsigned(.max), .integer(.min), 0, 0,
        ])
        #expect(try JSONValue(parsing: text) == expected)
    }

    @Test func `doubles keep their value, and tiny ones become zero`() throws {
        let text = "[0.1,1E5,1e+2,-2.5e-3,1.7976931348623157e308,5e-324,1e-999,-0.0,123456789012345678901234567890.0]"
        let value = try JSONValue(parsing: text)
        let numbers = value.arrayValue.map { $0.compactMap(\.doubleValue) } ?? []
        #expect(
            numbers == [
                0.1, 1e5, 100, -0.0025, 1.7976931348623157e308, .leastNonzeroMagnitude, 0, -0.0, 0x1.8ee90ff6c373ep+96,
            ]
        )
        #expect(numbers.last(where: { $0 == 0 })?.sign == .minus)
    }

    @Test func `members that share a name are all kept, in order`() throws {
        let value = try JSONValue(parsing: #"{"name":"x","fields":[1],"name":"y","fields":[2],"1:a":3,"":4}"#)
        let object = try #require(value.objectValue)
        #expect(object.keys == ["name", "fields", "name", "fields", "1:a", ""])
        #expect(object.values(for: "fields") == [[1], [2]])
        #expect(value["name"] == "y")
    }

    @Test func `escapes become what they stand for, surrogate pairs and NUL in strings included`() throws {
        let value = try JSONValue(parsing: #"["\"\\\/\b\f\n\r\t","A\u00e9\u20AC\ud83d\uDE00","a\u0000b"]"#)
        #expect(value == ["\"\\/\u{8}\u{c}\n\r\t", "Aé€\u{1F600}", "a\u{0}b"])
    }

    @Test func `nesting up to the limit is read, one level more is refused where it opens`() {
        let limits = JSONLimits(depth: 10)
        let deep = String(repeating: "[", count: 10) + "1" + String(repeating: "]", count: 10)
        #expect(failure(of: deep, limits: limits) == nil)
        #expect(failure(of: "[" + deep + "]", limits: limits) == JSONError(.tooDeep(limit: 10), offset: 10))
        let objects = String(repeating: "{\"a\":", count: 10) + "1" + String(repeating: "}", count: 10)
        #expect(failure(of: objects, limits: limits) == nil)
        #expect(failure(of: String(repeating: "[", count: 1_000_000))?.code == .tooDeep(limit: 64))
        let deepest = JSONLimits(depth: 100_000)
        #expect(deepest.depth == 512)
        let most = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
        #expect(failure(of: most, limits: deepest) == nil)
    }

    @Test func `a document up to the limit is read, one byte more is refused`() {
        let limits = JSONLimits(documentBytes: 20)
        let fits = "\"" + String(repeating: "x", count: 18) + "\""
        #expect(failure(of: fits + fits + fits, limits: limits) == nil)
        let tooLong = "\"" + String(repeating: "x", count: 19) + "\""
        #expect(failure(of: tooLong, limits: limits) == JSONError(.documentTooLarge(limit: 20), offset: 20))
        let spaces = "[" + String(repeating: " ", count: 19) + "]"
        #expect(failure(of: spaces, limits: limits)?.code == .documentTooLarge(limit: 20))
        #expect(failure(of: String(repeating: " ", count: 100) + fits, limits: limits) == nil)
    }

    @Test func `an error is final and says where it is in the stream`() throws {
        var parser = JSONStreamParser()
        parser.append(Array("{\"a\":1} [1,,2] {}".utf8))
        let value7 = try parser.next()
        #expect(value7 == ["a": 1])
        let expected = JSONError(.unexpectedByte(UInt8(ascii: ",")), offset: 11)
        #expect(throws: expected) { try parser.next() }
        #expect(throws: expected) { try parser.next() }
        #expect(throws: expected) { try parser.finish() }
    }

    @Test(arguments: ["{", "[1", "{\"a\"", "{\"a\":", "\"abc", "\"\\", "\"\\u12", "-", "1.", "1e", "1e+", "tru", "[1,"])
    func `a stream that ends inside a document is an error`(text: String) {
        #expect(failure(of: text) == JSONError(.unexpectedEnd, offset: text.utf8.count))
    }

    @Test func `one document alone refuses what stands behind it, and nothing at all`() throws {
        #expect(try JSONValue(parsing: " 12 ") == 12)
        #expect(throws: JSONError(.unexpectedByte(UInt8(ascii: "x")), offset: 4)) { try JSONValue(parsing: "[1] x") }
        #expect(throws: JSONError(.unexpectedByte(UInt8(ascii: "[")), offset: 3)) { try JSONValue(parsing: "[1][2]") }
        #expect(throws: JSONError(.unexpectedEnd, offset: 2)) { try JSONValue(parsing: "  ") }
        #expect(throws: JSONError(.unexpectedEnd, offset: 3)) { try JSONValue(parsing: "[1,") }
    }

    @Test func `a string of many megabytes that comes in pieces is read whole`() throws {
        let body = String(repeating: "0123456789abcdé\\n", count: 250_000)
        let bytes = Array("[\"\(body)\"]".utf8)
        let pieces = stride(from: 0, to: bytes.count, by: 65_536).map { bytes[$0..<min($0 + 65_536, bytes.count)] }
        let value = try documents(in: pieces)
        #expect(value[0][0]?.stringValue?.utf8.count == body.utf8.count - 250_000)
    }
}
