import ControlInstance
import FoundationEssentials
import Glibc
import HostClock
import HypervisorRemote
import Logging
import NIOCore
import NIOEmbedded
import PKI
import RecordedLog
import Synchronization
import Testing
import Time

@testable import Console

/// What one client can have of a door, and what it cannot take from the others.
@Suite struct DoorLimitsTests {
    private final class Held {
        let connection: RawConnection

        init(_ connection: consuming RawConnection) { self.connection = connection }
    }

    // MARK: - Connections

    @Test func `an address is a host's, however it is written`() throws {
        func place(_ text: String) throws -> PeerPlace? {
            PeerPlace(try SocketAddress(ipAddress: text, port: .random(in: 1...65_535)))
        }
        #expect(try place("192.0.2.1") == place("192.0.2.1"))
        #expect(try place("192.0.2.1") != place("192.0.2.2"))
        #expect(try place("::ffff:192.0.2.1") == place("192.0.2.1"))
        #expect(try place("2001:db8::1") == place("2001:db8::ffff:1:2:3"))
        #expect(try place("2001:db8::1") != place("2001:db8:0:1::1"))
        #expect(try place("2001:db8::1")?.description == "2001:db8:0:0::/64")
        #expect(try place("192.0.2.1")?.description == "192.0.2.1")
        #expect(PeerPlace(nil) == nil)
        #expect(PeerPlace(try SocketAddress(unixDomainSocketPath: "/x")) == nil)
    }

    @Test func `what happens often is said rarely, with how often`() {
        var word = RareWord()
        let start = ContinuousClock.now
        #expect(word.happens(at: start) == 1)
        for second in 1..<10 { #expect(word.happens(at: start + .seconds(second)) == nil) }
        #expect(word.happens(at: start + .seconds(10)) == 10)
        #expect(word.happens(at: start + .seconds(19)) == nil)
        #expect(word.happens(at: start + .seconds(3600)) == 2)
    }

    @Test(.timeLimit(.minutes(1)))
    func `one address has so many connections, and when they end it has others`() async throws {
        let log = RecordedLog()
        var limits = DoorLimits()
        limits.connectionsOfOneAddress = 2
        try await Self.remote(limits, log) { port in
            do {
                let held = try (0..<3).map { _ in Held(try RawConnection(toPort: port)) }
                while !log.lines.contains(where: { $0.contains("too-many-connections") }) { usleep(1_000) }
                for _ in 0..<20 { #expect(try RawConnection(toPort: port).receive().isEmpty) }
                #expect(log.lines.filter { $0.contains("too-many-connections") }.count == 1)
                #expect(log.lines.contains { $0.contains("limit=2") && $0.contains("127.0.0.1") }, "\(log.lines)")
                withExtendedLifetime(held) {}
            }
            // What is no TLS is told to be none, by who has let it in.
            while !log.lines.contains(where: { $0.contains("no-handshake") }) {
                let connection = try RawConnection(toPort: port)
                connection.send("GET / HTTP/1.1\r\n\r\n")
                while try !connection.receive().isEmpty {}
            }
        }
    }

    /// A door for programs elsewhere, with credentials that nobody knows.
    private static func remote(
        _ limits: DoorLimits,
        _ log: RecordedLog,
        _ body: @escaping @Sendable (Int) throws -> Void
    ) async throws {
        try await withFolder { folder in
            let authority = try Authority.create(at: "\(folder)/pki", name: "lab", now: .now)
            try FileManager.default.createDirectory(atPath: "\(folder)/trust", withIntermediateDirectories: false)
            chmod("\(folder)/trust", 0o700)
            try authority.issue(role: .control, name: "desk", validity: .seconds(3600), now: .now)
                .write(to: "\(folder)/trust/desk.pem")
            try Data(try authority.revocations(now: .now).bytes).write(to: URL(filePath: "\(folder)/trust/revoked"))
            chmod("\(folder)/trust/revoked", 0o644)
            let trust = LiveTrust(try TrustStore.load(from: "\(folder)/trust"), logger: log.logger)
            let port = Mutex(0)
            let entrance = RemoteEntrance(address: "127.0.0.1", port: 0, trust: trust) { open in
                port.withLock { $0 = open }
            }
            try await ServedConsole.with(remote: entrance, limits: limits, logger: log.logger, at: "\(folder)/s") {
                _ throws in
                while port.withLock({ $0 }) == 0 { usleep(1_000) }
                try body(port.withLock { $0 })
            }
        }
    }

    // MARK: - Bodies

    @Test(arguments: ["401", "413", "403"])
    func `a body that nobody reads ends the connection, and the answer is there before`(_ status: String) async throws {
        try await ServedConsole.browsing { visit throws in
            let guest = try visit.guest()
            let cookies = status == "401" ? "" : guest.cookies
            let csrf = status == "403" ? "wrong" : guest.csrf ?? ""
            let held = Held(try RawConnection(toPort: guest.port))
            held.connection.send(
                "POST /v1/simulations/lab/suspend HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(cookies)\r\n"
                    + "X-Fermata-CSRF: \(csrf)\r\nContent-Length: 1073741824\r\n\r\n"
            )
            let head = try held.connection.receive(until: "\r\n\r\n").lowercased()
            #expect(head.hasPrefix("http/1.1 \(status)") && head.contains("connection: close"), "\(head)")
            // Whatever it goes on to send: the end comes long before the body's.
            held.connection.send([UInt8](repeating: 0x78, count: 32 << 20))
            while try !held.connection.receive().isEmpty {}
        }
    }

    @Test func `an answer that a body runs into is not cut off by it, and nothing behind it is done`() async throws {
        let control = ScriptedControl()
        try await ServedConsole.browsing(control) { visit throws in
            let guest = try visit.guest()
            let held = Held(try RawConnection(toPort: guest.port))
            let host = "Host: \(guest.host)\r\nCookie: \(guest.cookies)\r\nX-Fermata-CSRF: \(guest.csrf ?? "")\r\n"
            held.connection.send("POST /v1/nothing HTTP/1.1\r\n\(host)Content-Length: 10\r\n\r\n")
            let head = try held.connection.receive(until: "}")
            #expect(head.hasPrefix("HTTP/1.1 404") && head.contains("unknown-path"), "\(head)")
            held.connection.send("0123456789DELETE /v1/simulations/lab HTTP/1.1\r\n\(host)\r\n")
            #expect(try held.connection.receive(until: "\u{0}") == "")
            #expect(control.seen.forgotten.isEmpty)
        }
    }

    // MARK: - Streams

    @Test func `a browser has so many streams, and others have theirs`() async throws {
        var doors = DoorLimits()
        doors.streams = 2
        let control = ScriptedControl(endsStreams: false)
        try await ServedConsole.browsing(control, doors: doors) { visit throws in
            let (guest, other) = (try visit.guest(), try visit.guest())
            func open(_ guest: BrowserClient) throws -> (head: String, held: Held) {
                let connection = try RawConnection(toPort: guest.port)
                connection.send("GET /v1/events HTTP/1.1\r\nHost: \(guest.host)\r\nCookie: \(guest.cookies)\r\n\r\n")
                let head = try connection.receive(until: "}")
                return (head, Held(connection))
            }
            var streams = try (0..<2).map { _ in try open(guest) }
            #expect(streams.allSatisfy { $0.head.hasPrefix("HTTP/1.1 200") })
            let refused = try guest.send("GET", "/v1/events")
            #expect(refused.status == 429 && refused.code == "too-many-streams")
            #expect(try guest.send("GET", "/v1/health").status == 200)
            #expect(try open(other).head.hasPrefix("HTTP/1.1 200"))
            streams.removeLast()
            // That nobody listens is noticed when there is something to tell.
            while try !open(guest).head.hasPrefix("HTTP/1.1 200") {
                control.tell(Change(id: "x-1", what: .reset))
                usleep(10_000)
            }
            withExtendedLifetime(streams) {}
        }
    }

    // MARK: - Watches

    @Test func `nothing of a request stays with a connection that stays`() throws {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        weak var forgotten: RepeatedTask?
        do {
            let watch = ConnectionWatch.start(on: channel) { true }
            forgotten = watch
            channel.embeddedEventLoop.advanceTime(by: .seconds(3))
            #expect(channel.isActive)
            watch.cancel()
        }
        channel.embeddedEventLoop.run()
        #expect(forgotten == nil)
        _ = try channel.finish()
    }

    @Test func `a connection ends when its user may no longer use it, and its watch ends with it`() throws {
        let channel = EmbeddedChannel()
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let asked = Mutex(0)
        weak var watch: RepeatedTask?
        watch = ConnectionWatch.start(on: channel) {
            asked.withLock { $0 += 1 }
            return asked.withLock { $0 } < 3
        }
        channel.embeddedEventLoop.advanceTime(by: .seconds(10))
        #expect(!channel.isActive)
        #expect(asked.withLock { $0 } == 3)
        #expect(watch == nil)
        _ = try? channel.finish()
    }
}
