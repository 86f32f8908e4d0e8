import FoundationEssentials
import Testing

@testable import Console

/// A browser as far as HTTP goes: one connection for each request, and cookies if it has any.
struct BrowserClient: Sendable {
    let port: Int
    var session: String?
    var csrf: String?

    struct Reply: Sendable {
        let status: Int
        /// By lower-case names; of several with one name, all.
        let headers: [(name: String, value: String)]
        let body: String

        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

        var code: String? { try? JSONDecoder().decode(Problem.self, from: Data(body.utf8)).code }

        var cookies: [String] { headers.filter { $0.name == "set-cookie" }.map(\.value) }
    }

    var host: String { "127.0.0.1:\(port)" }

    var cookies: String {
        [session.map { "fermata-session-\(port)=\($0)" }, csrf.map { "fermata-csrf-\(port)=\($0)" }]
            .compactMap { $0 }.joined(separator: "; ")
    }

    /// As a page of the console sends it.
    func send(_ method: String, _ path: String, _ body: String = "") throws -> Reply {
        var headers = ["Host: \(host)", "Origin: http://\(host)", "Sec-Fetch-Site: same-origin"]
        if session != nil { headers.append("Cookie: \(cookies)") }
        if let csrf, method != "GET" { headers.append("X-Fermata-CSRF: \(csrf)") }
        return try send(method, path, headers, body)
    }

    /// With these headers alone.
    func send(_ method: String, _ path: String, _ headers: [String], _ body: String = "") throws -> Reply {
        let connection = try RawConnection(toPort: port)
        let all = headers + ["Content-Length: \(body.utf8.count)", "Connection: close"]
        connection.send("\(method) \(path) HTTP/1.1\r\n\(all.joined(separator: "\r\n"))\r\n\r\n\(body)")
        return try Self.reply(try connection.receive(until: "\u{0}"))
    }

    /// Follows a link, as who typed its address does.
    func enter(_ url: String) throws -> (BrowserClient, Reply) {
        let path = url.dropFirst("http://\(host)".count)
        let reply = try send("GET", String(path), ["Host: \(host)", "Sec-Fetch-Site: none"])
        var client = self
        for cookie in reply.cookies {
            let value = cookie.split(separator: "=", maxSplits: 1).last?.prefix { $0 != ";" } ?? ""
            if cookie.hasPrefix("fermata-session-\(port)=") { client.session = String(value) }
            if cookie.hasPrefix("fermata-csrf-\(port)=") { client.csrf = String(value) }
        }
        return (client, reply)
    }

    private static func reply(_ text: String) throws -> Reply {
        let end = try #require(text.firstRange(of: "\r\n\r\n"), "no answer: \(text.prefix(200))")
        let lines = text[..<end.lowerBound].split(separator: "\r\n", omittingEmptySubsequences: false)
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: parts.count == 2 ? String(parts[1].drop { $0 == " " }) : "")
        }
        return Reply(status: status, headers: headers, body: String(text[end.upperBound...]))
    }
}
