import ControlInstance
import HypervisorAPI

/// Who follows a serial port through the control instance, and gives up some time.
struct SerialListener {
    private var news: AsyncStream<SerialNews>.Iterator
    private(set) var heard: [UInt8] = []
    /// Each is of two seconds.
    private static let mostSilences = 60

    init(_ stream: AsyncStream<SerialNews>) { news = stream.makeAsyncIterator() }

    /// Until the guest has said it, at any time.
    mutating func hear(_ text: String) async throws {
        try await listen("'\(text)'") { listener, _ in
            String(decoding: listener.heard, as: UTF8.self).contains(text)
        }
    }

    mutating func become(_ state: SerialState.State) async throws {
        try await listen("\(state)") { _, news in
            guard case .state(let told) = news else { return false }
            return told.state == state
        }
    }

    private mutating func listen(_ what: String, _ isEnough: (SerialListener, SerialNews?) -> Bool) async throws {
        var silences = 0
        var last: SerialNews?
        while !isEnough(self, last) {
            guard let next = await news.next(), silences < Self.mostSilences else {
                throw TestSupportError("\(what) did not come; the last of what did: \(heard.suffix(600))")
            }
            if case .output(let chunk) = next { heard += chunk.bytes }
            silences = next == .silence ? silences + 1 : 0
            last = next
        }
    }
}
