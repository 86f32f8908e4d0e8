import JSON
import Testing

@Suite struct JSONObjectTests {
    @Test func `the subscript reads the last of equal names and replaces that one`() {
        var object: JSONObject = ["a": 1, "b": 2, "a": 3]
        #expect(object["a"] == 3)
        object["a"] = 4
        #expect(object.values(for: "a") == [1, 4])
        object["c"] = 5
        #expect(object.keys == ["a", "b", "a", "c"])
        object["a"] = nil
        #expect(object == ["b": 2, "c": 5])
    }

    @Test func `it is a collection of its members, in order`() {
        var object = JSONObject()
        object.append("x", 1)
        object.append("x", 2)
        #expect(object.map(\.value) == [1, 2])
        #expect(object[1] == .init(key: "x", value: 2))
        #expect(object == JSONObject(members: [.init(key: "x", value: 1), .init(key: "x", value: 2)]))
        #expect(object != ["x": 2, "x": 1])
    }
}
