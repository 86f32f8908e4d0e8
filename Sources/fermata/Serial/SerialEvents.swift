import ControlInstance
import FoundationEssentials
import HypervisorRemote

/// What the API tells of a serial port, out of the bytes of its answer.
struct SerialEvents {
    enum Event {
        /// `end`: of all that ever came out of the port, where this ends.
        case output([UInt8], end: UInt64)
        case state(SerialState)
    }

    private var lines = LineSplitter()
    private var id: UInt64 = 0
    private var name = ""

    /// Takes what came next.
    /// - Throws: when it is nothing that the API tells.
    mutating func take(_ bytes: some Sequence<UInt8>) throws -> [Event] {
        try lines.take(bytes).compactMap { try event(of: String(decoding: $0, as: UTF8.self)) }
    }

    private mutating func event(of line: String) throws -> Event? {
        if line.hasPrefix("id: ") { id = UInt64(line.dropFirst(4)) ?? id }
        if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
        guard line.hasPrefix("data: ") else { return nil }
        let data = String(line.dropFirst(6))
        if name == "state" { return .state(try JSONDecoder().decode(SerialState.self, from: Data(data.utf8))) }
        return Data(base64Encoded: data).map { .output(Array($0), end: id) }
    }
}
