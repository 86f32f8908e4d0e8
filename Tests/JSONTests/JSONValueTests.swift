import JSON
import Testing

@Suite struct JSONValueTests {
    @Test func `literals and accessors say the same`() {
        let value: JSONValue = ["a": [1, -2, 2.5, "x", true, nil], "b": ["c": "\(1 + 1)"]]
        #expect(value["a"]?[0]?.int64Value == 1)
        #expect(value["a"]?[0]?.uint64Value == 1)
        #expect(value["a"]?[1]?.uint64Value == nil)
        #expect(value["a"]?[2]?.doubleValue == 2.5)
        #expect(value["a"]?[2]?.int64Value == nil)
        #expect(value["a"]?[3]?.stringValue == "x")
        #expect(value["a"]?[4]?.boolValue == true)
        #expect(value["a"]?[5]?.isNull == true)
        #expect(value["b"]?["c"] == "2")
        #expect(value["a"]?.arrayValue?.count == 6)
        #expect(value["b"]?.objectValue?.count == 1)
    }

    @Test func `asking the wrong kind, a missing name or beyond the end gives nil`() {
        let value: JSONValue = ["a": [1]]
        #expect(value["b"] == nil)
        #expect(value[0] == nil)
        #expect(value["a"]?["x"] == nil)
        #expect(value["a"]?[1] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(JSONValue.null.stringValue == nil && JSONValue.null.boolValue == nil)
        #expect(JSONValue.null.arrayValue == nil && JSONValue.null.objectValue == nil)
        #expect(JSONValue.null.doubleValue == nil && JSONValue.null.uint64Value == nil)
    }

    @Test func `unsigned numbers are their own kind only above Int64`() {
        #expect(JSONValue(UInt64(5)) == .integer(5))
        #expect(JSONValue(UInt64.max) == .unsigned(.max))
        #expect(JSONValue(UInt64.max).int64Value == nil)
        #expect(JSONValue(UInt64.max).uint64Value == .max)
        #expect(JSONValue(UInt64.max).doubleValue == Double(UInt64.max))
        #expect(JSONValue.integer(.min).doubleValue == Double(Int64.min))
    }
}
