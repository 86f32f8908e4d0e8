import FoundationEssentials
import HypervisorAPI

/// Bodies to and from JSON. A body is one value of any kind, also a bare string.
enum WireJSON {
    static func encode(_ value: some Encodable) throws(HypervisorError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(value))
        } catch {
            throw HypervisorError(code: "message-invalid", message: "this cannot be written as JSON: \(error)")
        }
    }

    static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws(HypervisorError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw HypervisorError(code: "message-invalid", message: "this is no \(Value.self): \(error)")
        }
    }

    /// Those of the lines that are such values. All at once: a host may tell of a thousand machines in one piece.
    static func decode<Value: Decodable>(_: Value.Type, fromLines lines: [[UInt8]]) -> [Value] {
        let array = [UInt8(ascii: "[")] + lines.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
        if let values = try? decode([Value].self, from: array), values.count == lines.count { return values }
        return lines.compactMap { try? decode(Value.self, from: $0) }
    }
}
