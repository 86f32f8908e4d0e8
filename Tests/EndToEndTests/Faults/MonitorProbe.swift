import Glibc
import JSON

/// One question to a QEMU, over a monitor that is nobody else's.
struct MonitorProbe {
    let path: String

    /// - Parameter arguments: a JSON object.
    @discardableResult
    func ask(_ command: String, _ arguments: String = "{}") throws -> JSONValue {
        let socket = try Self.connection(to: path)
        defer { close(socket) }
        var rest: [UInt8] = []
        _ = try next(on: socket, &rest) { $0["QMP"] != nil }
        try send(#"{"execute":"qmp_capabilities"}"#, socket)
        _ = try next(on: socket, &rest) { $0["return"] != nil }
        try send(#"{"execute":"\#(command)","arguments":\#(arguments)}"#, socket)
        return try next(on: socket, &rest) { $0["return"] != nil || $0["error"] != nil }
    }

    /// - Returns: a socket that waits no longer than 20 s for an answer; the caller closes it.
    static func connection(to path: String) throws -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard socket >= 0, connected == 0 else {
            let number = errno
            close(socket)
            throw CLIError("no connection to \(path): errno \(number)")
        }
        return socket
    }

    private func send(_ text: String, _ socket: Int32) throws {
        let bytes = Array((text + "\n").utf8)
        guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw CLIError("\(path) took no command: errno \(errno)")
        }
    }

    /// The next line that is wanted; events and the like come in between.
    private func next(on socket: Int32, _ rest: inout [UInt8], _ isWanted: (JSONValue) -> Bool) throws -> JSONValue {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let value = try JSONValue(parsing: String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
                if isWanted(value) { return value }
            }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { throw CLIError("\(path) gave no answer: errno \(errno)") }
            rest += buffer.prefix(count)
        }
    }
}
