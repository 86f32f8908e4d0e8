import Glibc
import Synchronization

/// A control instance that gives the answers it is told, to any client: for what a real one does not do on demand.
///
/// A thread accepts connections one after the other; each request is answered by the first script whose path ends it.
final class ScriptedDaemon: Sendable {
    struct Script: Sendable {
        let path: String
        let status: Int
        /// Parts, with a pause between each and the next.
        let parts: [String]
        /// Cut the connection off behind the last part, instead of ending the body.
        var cutsOff = false
        /// Wait with the last part until this path was asked for.
        var waitsFor: String?
    }

    let socket: String
    private let descriptor: Int32
    private let scripts: [Script]
    private let asked = Mutex<[String]>([])
    private let heads = Mutex<[String]>([])

    var requests: [String] { asked.withLock { $0 } }

    /// The values of a header, request by request, of those that have it.
    func values(of header: String) -> [String] {
        heads.withLock { $0 }.compactMap { head in
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(header.lowercased()):") }
                .map { String($0.dropFirst(header.utf8.count + 1).drop { $0 == " " }) }
        }
    }

    /// `/v1/version` is always answered, as a daemon of this version.
    init(at socket: String, version: String = "0.1.0", _ scripts: [Script]) throws {
        self.socket = socket
        self.scripts =
            scripts + [
                Script(
                    path: "/v1/version",
                    status: 200,
                    parts: ["{\"version\":\"\(version)\",\"processID\":1,\"startedNs\":0}"]
                )
            ]
        descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, bound == 0, listen(descriptor, 16) == 0 else {
            throw CLIError("no scripted daemon: errno \(errno)")
        }
        Self.onThread { [self] in acceptAll() }
    }

    func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    deinit { close(descriptor) }

    private func acceptAll() {
        while true {
            let connection = Glibc.accept(descriptor, nil, nil)
            if connection < 0 { return }
            // Each on a thread of its own: a client may ask something else while it follows events.
            Self.onThread { [self] in
                serve(connection)
                close(connection)
            }
        }
    }

    private func serve(_ connection: Int32) {
        guard let path = request(on: connection) else { return }
        asked.withLock { $0.append(path) }
        guard let script = scripts.first(where: { path.hasSuffix($0.path) }) else {
            send("HTTP/1.1 500 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", to: connection)
            return
        }
        let type = script.status >= 400 ? "application/problem+json" : "application/json"
        let head = "HTTP/1.1 \(script.status) X\r\nConnection: close\r\nContent-Type: \(type)\r\n"
        send(head + "Transfer-Encoding: chunked\r\n\r\n", to: connection)
        for (index, part) in script.parts.enumerated() {
            if index == script.parts.count - 1, let awaited = script.waitsFor { wait(for: awaited) }
            send(String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n", to: connection)
            usleep(20_000)
        }
        if !script.cutsOff { send("0\r\n\r\n", to: connection) }
    }

    private func wait(for path: String) {
        for _ in 0..<6_000 where !requests.contains(where: { $0.hasSuffix(path) }) { usleep(10_000) }
    }

    /// The path of the request, once its head and body are there.
    private func request(on connection: Int32) -> String? {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            text += buffer.prefix(count)
            let string = String(decoding: text, as: UTF8.self)
            let parts = string.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let length = parts[0].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) }
            guard parts[1].utf8.count >= length ?? 0 else { continue }
            heads.withLock { $0.append(String(parts[0])) }
            let words = string.split(separator: " ")
            return words.count > 1 ? String(words[1]) : nil
        }
    }

    private func send(_ text: String, to connection: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { pointer in
                if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run() }
                return nil
            },
            work.toOpaque()
        )
        if code == 0 { pthread_detach(thread) } else { work.release() }
    }

    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
