import CJSONC
import Glibc

/// Turns json-c's trees into values. Reference counts in them are not atomic: no tree leaves the call that made it.
enum TreeReader {
    /// Nil when the tree is not one that ``StrictLexer`` prepared.
    static func value(of node: OpaquePointer?) -> JSONValue? {
        switch json_object_get_type(node) {
        case json_type_null:
            return .null
        case json_type_boolean:
            return .bool(json_object_get_boolean(node) != 0)
        case json_type_int:
            // get_int64 clamps; only then is the other one asked.
            let signed = json_object_get_int64(node)
            return signed == .max ? JSONValue(json_object_get_uint64(node)) : .integer(signed)
        case json_type_double:
            return .double(json_object_get_double(node))
        case json_type_string:
            let bytes = UnsafeRawBufferPointer(
                start: json_object_get_string(node),
                count: Int(json_object_get_string_len(node))
            )
            return .string(String(decoding: bytes, as: UTF8.self))
        case json_type_array:
            let count = json_object_array_length(node)
            var elements: [JSONValue] = []
            elements.reserveCapacity(count)
            for index in 0..<count {
                guard let element = value(of: json_object_array_get_idx(node, index)) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case json_type_object:
            return object(node)
        default:
            return nil
        }
    }

    private static func object(_ node: OpaquePointer?) -> JSONValue? {
        guard let table = json_object_get_object(node) else { return nil }
        var members: [JSONObject.Member] = []
        members.reserveCapacity(Int(max(table.pointee.count, 0)))
        var entry = table.pointee.head
        while let current = entry {
            guard let text = current.pointee.k?.assumingMemoryBound(to: CChar.self),
                let colon = strchr(text, Int32(UInt8(ascii: ":"))),
                let value = value(of: current.pointee.v.map { OpaquePointer($0) })
            else { return nil }
            members.append(.init(key: String(cString: colon + 1), value: value))
            entry = current.pointee.next
        }
        return .object(JSONObject(members: members))
    }
}
