import FoundationEssentials

/// What is written of one event at a time.
struct EventFrame: Sendable {
    let bytes: [UInt8]

    /// No line break can be in `json`: JSON escapes them.
    static func event(id: String?, name: String? = nil, _ json: some Encodable) throws -> EventFrame {
        let lines = [id.map { "id: \($0)\n" }, name.map { "event: \($0)\n" }].compactMap { $0 }.joined()
        return EventFrame(bytes: Array("\(lines)data: ".utf8) + (try Answer.encode(json)) + Array("\n\n".utf8))
    }

    /// - Parameter bytes: of any kind, told as base64.
    static func event(id: String, name: String, base64 bytes: [UInt8]) -> EventFrame {
        EventFrame(bytes: Array("id: \(id)\nevent: \(name)\ndata: \(Data(bytes).base64EncodedString())\n\n".utf8))
    }

    static func line(_ json: some Encodable) throws -> EventFrame {
        EventFrame(bytes: Array(try Answer.encode(json)) + [UInt8(ascii: "\n")])
    }

    /// A comment. Who keeps connections alive sees that this one is.
    static let heartbeat = EventFrame(bytes: Array(":\n\n".utf8))
}
