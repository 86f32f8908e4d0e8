import ControlInstance
import HypervisorAPI
import Testing

@testable import Console

/// The web console over TCP, with browsers that keep to the rules and pages that do not.
@Suite struct BrowserDoorTests {
    private typealias Visit = ServedConsole.Visit

    @Test func `a link gives a session, with which all of the API is there`() async throws {
        try await ServedConsole.browsing(
            ScriptedControl(events: [.phase(OperationID(text: "op1"), .armed, deadline: nil)])
        ) { visit throws in
            let (guest, reply) = try visit.stranger.enter(try visit.link())
            #expect(reply.status == 303 && reply.header("location") == "/" && reply.cookies.count == 2)
            #expect(
                reply.cookies.allSatisfy {
                    $0.hasSuffix("; Path=/; SameSite=Strict") || $0.hasSuffix("; Path=/; SameSite=Strict; HttpOnly")
                }
            )
            #expect(reply.cookies.filter { $0.hasSuffix("HttpOnly") }.map { $0.contains("session") } == [true])
            #expect(try guest.send("GET", "/v1/health").body == "{\"status\":\"ok\"}")
            #expect(try guest.send("POST", "/v1/simulations/lab/suspend", "{}").status == 202)
            #expect(try guest.send("GET", "/v1/nothing").code == "unknown-path")
        }
    }

    @Test func `a link is good once, and who came in by it may come back to it`() async throws {
        try await ServedConsole.browsing { visit throws in
            let link = try visit.link()
            let (guest, _) = try visit.stranger.enter(link)
            let (other, refusal) = try visit.stranger.enter(link)
            #expect(refusal.status == 401 && refusal.code == "no-session")
            #expect(other.session == nil && refusal.cookies.isEmpty)
            let path = String(link.dropFirst("http://\(guest.host)".count))
            #expect(try guest.send("GET", path).status == 303)
            #expect(try guest.send("GET", path).cookies.isEmpty)
        }
    }

    @Test func `a link that is too old lets nobody in, and says so in words to people`() async throws {
        var limits = BrowserSessions.Limits()
        limits.linkLife = .zero
        try await ServedConsole.browsing(limits: limits) { visit throws in
            let link = try visit.link()
            #expect(try visit.stranger.enter(link).1.status == 401)
            let path = String(link.dropFirst("http://\(visit.stranger.host)".count))
            let page = try visit.stranger.send("GET", path, ["Host: \(visit.stranger.host)", "Accept: text/html,*/*"])
            #expect(page.status == 401 && page.header("content-type")?.hasPrefix("text/html") == true)
            #expect(page.body.contains("fermata console"))
        }
    }

    @Test func `a browser that leaves is out, others stay, and what it has open ends`() async throws {
        try await ServedConsole.browsing(ScriptedControl(endsStreams: false)) { visit throws in
            let (guest, other) = (try visit.guest(), try visit.guest())
            let stream = try RawConnection(toPort: guest.port)
            stream.send("GET /v1/events HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(guest.cookies)\r\n\r\n")
            _ = try stream.receive(until: "reset")
            #expect(
                try guest.send("DELETE", "/v1/session", ["Host: \(guest.host)", "Cookie: \(guest.cookies)"]).status
                    == 403
            )
            #expect(try guest.send("DELETE", "/v1/session").status == 204)
            #expect(try guest.send("GET", "/v1/health").code == "no-session")
            #expect(try guest.send("DELETE", "/v1/session").status == 401)
            #expect(try other.send("GET", "/v1/health").status == 200)
            // To its end.
            _ = try stream.receive(until: "\u{0}")
        }
    }

    @Test func `a session that is over is none`() async throws {
        var limits = BrowserSessions.Limits()
        limits.total = .zero
        try await ServedConsole.browsing(limits: limits) { visit throws in
            #expect(try visit.guest().send("GET", "/v1/health").code == "no-session")
        }
    }

    @Test(arguments: [
        "", "?", "?token", "?token=", "?token=0", "?token=%00", "?tok=x", "?token=\(String(repeating: "0", count: 64))",
    ])
    func `a wrong link lets nobody in`(_ query: String) async throws {
        try await ServedConsole.browsing { visit throws in
            let reply = try visit.stranger.send("GET", "/enter\(query)")
            #expect(reply.status == 401 && reply.cookies.isEmpty)
        }
    }

    @Test(arguments: [
        "/v1/health", "/v1/simulations", "/v1/nothing", "/v1", "//v1/health", "/V1/health", "/nothing",
        "/v1/../v1/health", "/%76%31/health",
    ])
    func `without a session nothing but the page's files is there`(_ path: String) async throws {
        try await ServedConsole.browsing { visit throws in
            #expect(try visit.stranger.send("GET", path).code == "no-session")
            var forged = visit.stranger
            forged.session = String(repeating: "0", count: 64)
            #expect(try forged.send("GET", path).code == "no-session")
            // Of another port's console.
            let cookie = "Cookie: fermata-session-1=\(try #require(try visit.guest().session))"
            #expect(
                try visit.stranger.send("GET", path, ["Host: \(visit.stranger.host)", cookie]).code == "no-session"
            )
        }
    }

    @Test func `the page's files are there for everybody, and are not sent twice`() async throws {
        try await ServedConsole.browsing { visit throws in
            let host = "Host: \(visit.stranger.host)"
            for path in BrowserAssets.embedded.paths {
                // A link in a mail or a chat leads here, too.
                let reply = try visit.stranger.send("GET", path, [host, "Sec-Fetch-Site: cross-site"])
                #expect(reply.status == 200 && reply.header("content-length") == "\(reply.body.utf8.count)", "\(path)")
                #expect(reply.header("content-type")?.contains("octet-stream") == false, "\(path)")
                let tag = try #require(reply.header("etag"))
                #expect(try visit.stranger.send("GET", path, [host, "If-None-Match: \"x\", \(tag)"]).status == 304)
                #expect(try visit.stranger.send("GET", path, [host, "If-None-Match: \"x\""]).status == 200)
                let head = try visit.stranger.send("HEAD", path, [host])
                #expect(head.status == 200 && head.body.isEmpty && head.header("etag") == tag)
                #expect(try visit.stranger.send("POST", path, [host]).code == "method-not-allowed")
            }
            #expect(try visit.stranger.send("GET", "/", [host]).body.hasPrefix("<!doctype html>"))
        }
    }

    @Test func `every answer forbids what the page does not need`() async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            let replies = [
                try guest.send("GET", "/"), try guest.send("GET", "/v1/version"), try guest.send("GET", "/v1/nothing"),
                try visit.stranger.send("GET", "/v1/version"), try visit.stranger.enter(try visit.link()).1,
                try visit.stranger.send("GET", "/", ["Host: evil.example"]),
            ]
            for reply in replies {
                let policy = try #require(reply.header("content-security-policy"))
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; ") && !policy.contains("unsafe"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(reply.header("x-content-type-options") == "nosniff")
                #expect(reply.header("referrer-policy") == "no-referrer")
                #expect(reply.header("cross-origin-opener-policy") == "same-origin")
                #expect(reply.header("cross-origin-resource-policy") == "same-origin")
                #expect(reply.header("cache-control") != nil)
                #expect(reply.header("access-control-allow-origin") == nil)
            }
        }
    }

    @Test func `a name that is not this host's own is refused, for files and links as well`() async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            let port = guest.port
            for host in [
                "evil.example", "evil.example:\(port)", "127.0.0.1", "127.0.0.1:\(port + 1)", "localhost",
                "127.0.0.1:\(port).evil.example", "[::1]:\(port)", "user@127.0.0.1:\(port)", "LOCALHOST:\(port)x", "",
            ] {
                for path in ["/", "/v1/health", "/enter?token=x"] {
                    let reply = try guest.send("GET", path, ["Host: \(host)", "Cookie: \(guest.cookies)"])
                    #expect(reply.code == "cross-site", "\(host) \(path): \(reply.status)")
                }
            }
            let twice = try guest.send(
                "GET",
                "/v1/health",
                ["Host: \(guest.host)", "Host: evil.example", "Cookie: \(guest.cookies)"]
            )
            #expect(twice.status == 403 || twice.status == 400)
            let local = try guest.send("GET", "/v1/health", ["Host: localhost:\(port)", "Cookie: \(guest.cookies)"])
            #expect(local.status == 200)
        }
    }

    @Test func `another page cannot do anything by a browser that has a session`() async throws {
        let control = ScriptedControl(events: [.phase(OperationID(text: "op1"), .armed, deadline: nil)])
        try await ServedConsole.browsing(control) { visit throws in
            let guest = try visit.guest()
            let (host, cookie, csrf) = (
                "Host: \(guest.host)", "Cookie: \(guest.cookies)", "X-Fermata-CSRF: \(guest.csrf ?? "")"
            )
            let other = try visit.guest()
            let wrong = [
                [], ["X-Fermata-CSRF: "], ["X-Fermata-CSRF: \(String(repeating: "0", count: 64))"],
                ["X-Fermata-CSRF: \(other.csrf ?? "")"], ["X-Fermata-CSRF: \(guest.session ?? "")"],
                [csrf, "Origin: https://evil.example"], [csrf, "Origin: null"],
                [csrf, "Origin: http://localhost:\(guest.port)"],
                [csrf, "Origin: http://127.0.0.1:1"], [csrf, "Sec-Fetch-Site: cross-site"],
                [csrf, "Sec-Fetch-Site: same-site"],
            ]
            for headers in wrong {
                let path = "/v1/simulations/lab/suspend"
                let reply = try guest.send(
                    "POST",
                    path,
                    [host, cookie, "Content-Type: application/json"] + headers,
                    "{}"
                )
                #expect(reply.status == 403 && reply.code == "cross-site", "\(headers)")
            }
            for headers in [
                ["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"],
            ] {
                #expect(
                    try guest.send("GET", "/v1/simulations", [host, cookie] + headers).code == "cross-site",
                    "\(headers)"
                )
            }
            #expect(control.seen.suspend.isEmpty)
            for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
                let reply = try guest.send(method, "/v1/simulations/lab/checkpoints/s1", [host, cookie])
                #expect(reply.code == "cross-site", "\(method)")
            }
        }
    }

    @Test(arguments: ["/v1/shutdown", "/v1/console", "//v1/shutdown", "/v1//console", "/v1/shutdown/"])
    func `a browser can neither end the daemon nor let others in`(_ path: String) async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            let reply = try guest.send("POST", path, "")
            #expect(reply.code == "not-for-browsers" || reply.status == 404, "\(reply.status) \(reply.body)")
            #expect(try guest.send("GET", "/v1/health").status == 200)
        }
    }

    @Test(arguments: [
        "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/web/index.html", "/index.html/..",
        "/index.html%00",
        "/.", "//", "/index.html/", "/v1/simulations/..%2f..%2fx", "/%", "/%zz", "/?\\", "/\\..\\index.html",
        "/%0d%0aSet-Cookie:%20x=y",
    ])
    func `no path leads to a file that is none of the page's`(_ path: String) async throws {
        try await ServedConsole.browsing { visit throws in
            let reply = try visit.stranger.send("GET", path, ["Host: \(visit.stranger.host)"])
            #expect(
                reply.status == 401 || reply.status == 400 || reply.body.hasPrefix("<!doctype html>"),
                "\(reply.status)"
            )
            #expect(reply.cookies.isEmpty && !reply.body.contains("root:"))
            let known = try visit.guest().send("GET", path)
            #expect(
                known.status == 400 || known.status == 404 || known.body.hasPrefix("<!doctype html>"),
                "\(known.status)"
            )
        }
    }

    @Test func `a switched-off console says so, and listens nowhere`() async throws {
        try await withFolder { folder in
            let entrance = BrowserEntrance(.off)
            try await ServedConsole.with(entrance: entrance, at: "\(folder)/s") { path throws in
                let connection = try RawConnection(to: path)
                connection.send("POST /v1/console HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                #expect(try connection.receive(until: "}").contains("console-off"))
                #expect(entrance.port == nil)
            }
        }
    }

    @Test func `a port that somebody else has is an error that names it, and the daemon goes on`() async throws {
        let taken = try TakenPort()
        try await withFolder { folder in
            let entrance = BrowserEntrance(.atOnce(port: taken.port))
            try await ServedConsole.with(entrance: entrance, at: "\(folder)/s") { [port = taken.port] path throws in
                for _ in 0..<2 {
                    let connection = try RawConnection(to: path)
                    connection.send("POST /v1/console HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                    let reply = try connection.receive(until: "}")
                    #expect(reply.contains("console-failed") && reply.contains("127.0.0.1:\(port)"), "\(reply)")
                }
            }
        }
        taken.close()
    }
}
