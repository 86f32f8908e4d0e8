public import JSON

/// One command for a monitor.
public struct QMPCommand: Hashable, Sendable {
    public var name: String
    /// An object, or null for a command without arguments.
    public var arguments: JSONValue
    /// Past the queue, while other commands run; only some commands allow it, and only where the greeting offers it.
    public var outOfBand: Bool

    public init(_ name: String, arguments: JSONValue = .null, outOfBand: Bool = false) {
        self.name = name
        self.arguments = arguments
        self.outOfBand = outOfBand
    }

    /// The whole message.
    func encoded(id: Int64) throws(QMPError) -> [UInt8] {
        // The name comes last: see `advance`.
        var message: JSONObject = ["id": .integer(id)]
        switch arguments {
        case .null: break
        case .object: message["arguments"] = arguments
        default: throw QMPError(.invalidCommand("arguments are an object"), command: name)
        }
        message[outOfBand ? "exec-oob" : "execute"] = .string(name)
        do throws(JSONError) {
            return try JSONValue.object(message).encoded()
        } catch {
            throw QMPError(.invalidCommand("\(error)"), command: name)
        }
    }

    /// A message in two parts, and what makes the first one harmless when the second shall never follow.
    struct Advance: Hashable {
        /// `{"id":7,"execute":"stop`
        var lead: [UInt8]
        /// `"}`
        var trigger: [UInt8]
        /// `-abandoned"}`: a command that no QEMU knows.
        var retraction: [UInt8]
    }

    /// QEMU takes its monitor's bytes one by one, some 10 µs each: what is there before the instant is not read after it.
    /// Measured, sending `stop` to the STOP stamp: 354 µs with the trigger alone, 643 µs with the whole message (10.0,
    /// median on a busy host).
    func advance(id: Int64) throws(QMPError) -> Advance {
        let message = try encoded(id: id)
        return Advance(
            lead: Array(message.dropLast(2)),
            trigger: Array(message.suffix(2)),
            retraction: Array("-abandoned\"}".utf8)
        )
    }
}
