import CJSONC

/// Builds json-c's trees for writing.
enum TreeWriter {
    /// A tree that the caller owns; nil is JSON's null.
    static func node(for value: JSONValue) throws(JSONError) -> OpaquePointer? {
        switch value {
        case .null:
            return nil
        case .bool(let flag):
            return try made(json_object_new_boolean(flag ? 1 : 0))
        case .integer(let number):
            return try made(json_object_new_int64(number))
        case .unsigned(let number):
            return try made(json_object_new_uint64(number))
        case .double(let number):
            guard number.isFinite else { throw JSONError(.notFinite, offset: 0) }
            // json-c alone would write 17 digits: 0.10000000000000001.
            return try made(json_object_new_double_s(number, "\(number)"))
        case .string(let text):
            return try string(text)
        case .array(let elements):
            return try array(elements)
        case .object(let object):
            return try self.object(object)
        }
    }

    private static func string(_ text: String) throws(JSONError) -> OpaquePointer {
        var text = text
        let node = text.withUTF8 { bytes -> OpaquePointer? in
            guard let length = Int32(exactly: bytes.count) else { return nil }
            guard let start = bytes.baseAddress else { return json_object_new_string_len("", 0) }
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                json_object_new_string_len($0, length)
            }
        }
        return try made(node)
    }

    private static func array(_ elements: [JSONValue]) throws(JSONError) -> OpaquePointer {
        let array = try made(json_object_new_array())
        do throws(JSONError) {
            for element in elements {
                let node = try node(for: element)
                guard json_object_array_add(array, node) == 0 else {
                    json_object_put(node)
                    throw outOfMemory
                }
            }
            return array
        } catch {
            json_object_put(array)
            throw error
        }
    }

    private static func object(_ members: JSONObject) throws(JSONError) -> OpaquePointer {
        let object = try made(json_object_new_object())
        do throws(JSONError) {
            for member in members {
                guard !member.key.utf8.contains(0) else { throw JSONError(.nulInKey, offset: 0) }
                let node = try node(for: member.value)
                // Without this flag a second member of the same name would replace the first.
                let flags = UInt32(JSON_C_OBJECT_ADD_KEY_IS_NEW)
                guard json_object_object_add_ex(object, member.key, node, flags) == 0 else {
                    json_object_put(node)
                    throw outOfMemory
                }
            }
            return object
        } catch {
            json_object_put(object)
            throw error
        }
    }

    private static var outOfMemory: JSONError { JSONError(.library("out of memory"), offset: 0) }

    private static func made(_ node: OpaquePointer?) throws(JSONError) -> OpaquePointer {
        guard let node else { throw outOfMemory }
        return node
    }
}
