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
}
