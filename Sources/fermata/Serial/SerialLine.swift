import AsyncHTTPClient
import Console
import ControlInstance
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1

/// A machine's serial port, as somebody at a terminal has it, or a program.
struct SerialLine: Sendable {
    let client: ControlClient
    let path: String
    let terminal: Terminal
    let isJSON: Bool

    /// A line of JSON.
    private struct Output: Encodable {
        let event = "output"
        let end: UInt64
        let base64: String
    }

    private struct State: Encodable {
        let event = "state"
        let state: String
        let message: String
    }

    func send(_ bytes: [UInt8]) async throws {
        let body = try JSONText.encode(["base64": Data(bytes).base64EncodedString()])
        _ = try await client.send(.POST, path, body: body)
    }

    /// Tells what it says, until its simulation is no more, or the control instance has ended.
    /// - Parameter offset: of all that ever came out of it, what is passed over; nil: all but the last.
    func follow(from offset: UInt64?) async throws {
        var headers = ["accept": "text/event-stream"]
        if let offset { headers["last-event-id"] = "\(offset)" }
        let response = try await client.open(.GET, path, headers: headers, patience: ControlClient.noLimit)
        var events = SerialEvents()
        for try await chunk in response.body {
            for event in try events.take(chunk.readableBytesView) {
                switch event {
                case .output(let bytes, let end): try tell(bytes, end)
                case .state(let state):
                    try tell(state)
                    if state.state == .ended { return }
                }
            }
        }
        throw CommandFailure(
            .failed,
            code: "daemon-lost",
            "the control instance ended while a serial port was followed"
        )
    }

    private func tell(_ bytes: [UInt8], _ end: UInt64) throws {
        guard isJSON else { return terminal.write(bytes) }
        let line = Output(end: end, base64: Data(bytes).base64EncodedString())
        terminal.print(String(decoding: try JSONText.encode(line), as: UTF8.self))
    }

    private func tell(_ state: SerialState) throws {
        guard isJSON else {
            // Where a line begins is the guest's choice, and that of a terminal that adds nothing to a line feed.
            terminal.note("\r\n[\(state.message)]\r")
            return
        }
        let line = State(state: state.state.rawValue, message: state.message)
        terminal.print(String(decoding: try JSONText.encode(line), as: UTF8.self))
    }
}
