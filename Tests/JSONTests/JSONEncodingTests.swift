import JSON
import Testing

@Suite struct JSONEncodingTests {
    private func text(_ value: JSONValue, _ style: JSONValue.Style = .compact) throws -> String {
        String(decoding: try value.encoded(style), as: UTF8.self)
    }

    @Test func `compact text has no white space and keeps members in order, equal names included`() throws {
        let object: JSONObject = ["b": 1, "a": [true, nil], "b": "x/y"]
        #expect(try text(.object(object)) == #"{"b":1,"a":[true,null],"b":"x/y"}"#)
    }

    @Test func `pretty text has a member a line`() throws {
        #expect(try text(["a": [1], "b": [:]], .pretty) == "{\n  \"a\": [\n    1\n  ],\n  \"b\": {\n  }\n}")
    }

    @Test func `doubles are written with the fewest digits that read back`() throws {
        #expect(try text([0.1, 1e20, .double(.leastNonzeroMagnitude), -0.0, 2.0]) == "[0.1,1e+20,5e-324,-0.0,2.0]")
    }

    @Test func `every number of 64 bits is written exactly`() throws {
        let value: JSONValue = .array([.integer(.min), .integer(.max), .unsigned(.max)])
        #expect(try text(value) == "[-9223372036854775808,9223372036854775807,18446744073709551615]")
    }

    @Test func `strings are escaped where they must be and otherwise left alone`() throws {
        #expect(try text("\u{0}\u{1f}\"\\\n/é\u{1F600}") == "\"\\u0000\\u001f\\\"\\\\\\n/é\u{1F600}\"")
        #expect(try text("") == "\"\"")
    }

    @Test func `what has no JSON form is an error, at any depth, and its description says so`() {
        #expect(throws: JSONError(.notFinite, offset: 0)) { try JSONValue.array([.double(.nan)]).encoded() }
        #expect(throws: JSONError(.notFinite, offset: 0)) { try (["a": .double(.infinity)] as JSONValue).encoded() }
        #expect(throws: JSONError(.nulInKey, offset: 0)) { try ([["a\u{0}b": 1]] as JSONValue).encoded() }
        #expect(JSONValue.double(.nan).description == "<a number that is infinite or not a number has no JSON form>")
        #expect((["a": 1] as JSONValue).description == #"{"a":1}"#)
        #expect(JSONValue.null.description == "null")
    }
}
