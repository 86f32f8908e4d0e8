import CShims
import Glibc
import JSON
import Synchronization

/// The server's side of one connection, on the script's own thread; every call blocks.
final class ScriptedPeer {
    let socket: Int32
    /// Descriptors that came, the caller's to close.
    private(set) var descriptors: [Int32] = []
    private var parser = JSONStreamParser()
    private var isClosed = false

    init(socket: Int32) {
        self.socket = socket
    }

    deinit {
        end()
        for descriptor in descriptors { close(descriptor) }
    }

    func end() {
        if !isClosed { close(socket) }
        isClosed = true
    }

    /// What the client sends from now on fails there: it cannot be lost unread, which would end a connection with ECONNRESET.
    func stopReceiving() { shutdown(socket, Int32(SHUT_RD)) }

    /// Ends a TCP connection with RST.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        end()
    }

    /// False when the client has gone.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(text.utf8) }

    /// One byte a write.
    func sendSplit(_ text: String) {
        for byte in text.utf8 { send([byte]) }
    }

    /// The client's next message; nil when it has gone.
    func receive() -> JSONValue? {
        while true {
            do throws(JSONError) {
                if let message = try parser.next() { return message }
            } catch {
                fatalError("the client sent garbage: \(error)")
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            var numbers = [Int32](repeating: -1, count: 16)
            var count = 0
            var readable = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            poll(&readable, 1, -1)
            let received = fermata_recv_fds(socket, &chunk, chunk.count, &numbers, numbers.count, &count)
            guard received > 0 else { return nil }
            descriptors += numbers[..<count]
            parser.append(chunk[..<received])
        }
    }

    func takeDescriptors() -> [Int32] {
        defer { descriptors = [] }
        return descriptors
    }

    static let greeting =
        #"{"QMP": {"version": {"qemu": {"micro": 2, "minor": 0, "major": 10}, "package": "x"}, "capabilities": ["oob"]}}"#

    /// Greets and answers qmp_capabilities.
    func negotiate() {
        send(Self.greeting + "\r\n")
        if let message = receive() { reply(to: message) }
    }

    func reply(to message: JSONValue, _ value: JSONValue = [:]) {
        send((["return": value, "id": message["id"] ?? .null] as JSONValue).description + "\r\n")
    }

    func event(_ name: String, seconds: Int64 = 1, microseconds: Int64 = 2, data: JSONValue = [:]) {
        let stamp: JSONValue = ["seconds": .integer(seconds), "microseconds": .integer(microseconds)]
        send((["timestamp": stamp, "event": .string(name), "data": data] as JSONValue).description + "\r\n")
    }
}
