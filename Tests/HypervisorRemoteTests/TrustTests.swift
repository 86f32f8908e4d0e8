import Glibc
import HostClock
import HypervisorAPI
import Logging
import PKI
import Testing
import Time

@testable import HypervisorRemote

/// Who is talked to, and who is not: real handshakes between both ends.
struct TrustTests {
    private func ask(_ port: Int, _ trust: LiveTrust, host: String = "far") async -> HypervisorError? {
        let remote = RemoteHypervisor(host: host, address: "127.0.0.1:\(port)", trust: { trust }, home: "/home/control")
        defer { Task { await remote.close() } }
        do throws(HypervisorError) {
            _ = try await remote.machines(of: nil)
            return nil
        } catch {
            return error
        }
    }

    @Test func aControlInstanceOfTheSameAuthorityIsHeard() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            #expect(await ask(port, ours) == nil)
        }
        #expect(far.calls == ["machines of all"])
    }

    /// Whatever is wrong with one side, the other says nothing to it and does nothing for it.
    @Test func nobodyElseIs() async throws {
        let authority = try TestAuthority()
        let stranger = try TestAuthority()
        let far = EchoHypervisor()
        let longAgo = HostInstant.now - .seconds(100_000)
        let clients: [(String, LiveTrust)] = [
            ("another hypervisor", try authority.trust(.hypervisor, "near")),
            (
                "the hypervisor's own name",
                LiveTrust(try authority.issue(.hypervisor, "far", in: "copy"), logger: quiet)
            ),
            ("another authority's", try stranger.trust(.control, "desk")),
            (
                "expired",
                LiveTrust(
                    try authority.issue(.control, "old", validity: .seconds(10_000), now: longAgo),
                    logger: quiet
                )
            ),
            (
                "not yet valid",
                LiveTrust(try authority.issue(.control, "soon", now: .now + .seconds(100_000)), logger: quiet)
            ),
        ]
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            for (what, trust) in clients {
                let error = await ask(port, trust)
                #expect(error?.reasons.map(\.code) == ["host-unreachable"], "\(what): \(String(describing: error))")
            }
        }
        #expect(far.calls == [])
    }

    @Test func nobodyElseIsTakenForTheHost() async throws {
        let authority = try TestAuthority()
        let stranger = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        let servers: [(String, LiveTrust)] = [
            ("another host", try authority.trust(.hypervisor, "near")),
            ("a control instance of that name", try authority.trust(.control, "far")),
            ("another authority's", try stranger.trust(.hypervisor, "far")),
        ]
        for (what, trust) in servers {
            try await withAgent(far, trust: trust) { port in
                let error = await ask(port, ours)
                #expect(error?.reasons.map(\.code) == ["host-unreachable"], "\(what): \(String(describing: error))")
            }
        }
        #expect(far.calls == [])
    }

    @Test func aPeerWithoutACertificateOrWithoutTLSIsNotHeard() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        try await withAgent(far, trust: try authority.trust(.hypervisor, "far")) { port in
            for bytes in [
                Array("POST /v1/machines HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}".utf8),
                [UInt8](repeating: 0x16, count: 5000), [],
            ] {
                let answer = try Self.exchange(port, bytes)
                #expect(!String(decoding: answer, as: UTF8.self).contains("HTTP/1.1"))
            }
        }
        #expect(far.calls == [])
    }

    @Test func whoeverConnectsWhileAnAgentEndsTakesNothingWithHim() async throws {
        let authority = try TestAuthority()
        let trust = try authority.trust(.hypervisor, "far")
        for _ in 0..<40 {
            try await withAgent(EchoHypervisor(), trust: trust) { port in
                for _ in 0..<16 { close(try Self.connected(port)) }
            }
        }
    }

    @Test func aRevocationIsInForceAtOnceAlsoOnConnectionsThatStand() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = try authority.trust(.control, "desk")
        let theirs = try authority.issue(.hypervisor, "far")
        try await withAgent(far, trust: LiveTrust(theirs, logger: quiet)) { port in
            let remote = RemoteHypervisor(
                host: "far",
                address: "127.0.0.1:\(port)",
                trust: { ours },
                home: "/home/control"
            )
            #expect(try await remote.machines(of: nil) == [])
            _ = try authority.authority.revoke(name: "desk", now: .now)
            try authority.publish(to: theirs.folder)
            try await Task.sleep(for: .milliseconds(700))
            let error = await #expect(throws: HypervisorError.self) { try await remote.machines(of: nil) }
            #expect(error?.reasons.map(\.code) == ["peer-refused"])
            #expect(error?.description.contains("revoked") == true, "\(String(describing: error))")
            #expect(await ask(port, ours) != nil, "nor on a new connection")
            await remote.close()
        }
        #expect(far.calls == ["machines of all"])
    }

    @Test func aRevokedHostIsNotTalkedTo() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let theirs = try authority.trust(.hypervisor, "far")
        _ = try authority.authority.revoke(name: "far", now: .now)
        let ours = try authority.trust(.control, "desk")
        try await withAgent(far, trust: theirs) { port in
            #expect(await ask(port, ours)?.reasons.map(\.code) == ["host-unreachable"])
        }
        #expect(far.calls == [])
    }

    /// Both sides get new credentials while they talk.
    @Test func credentialsAreRotatedWithoutARestart() async throws {
        let authority = try TestAuthority()
        let far = EchoHypervisor()
        let ours = LiveTrust(try authority.issue(.control, "desk"), logger: quiet)
        let theirs = LiveTrust(try authority.issue(.hypervisor, "far"), logger: quiet)
        try await withAgent(far, trust: theirs) { port in
            let remote = RemoteHypervisor(
                host: "far",
                address: "127.0.0.1:\(port)",
                trust: { ours },
                home: "/home/control"
            )
            #expect(try await remote.machines(of: nil) == [])
            let old = (ours.identity.serial, theirs.identity.serial)
            try authority.issue(.control, "desk")
            try authority.issue(.hypervisor, "far")
            try await Task.sleep(for: .milliseconds(700))
            #expect(try await remote.machines(of: nil) == [])
            #expect(ours.identity.serial != old.0 && theirs.identity.serial != old.1)
            // The old ones are of no use any more once they are revoked.
            _ = try authority.authority.revoke(serial: old.0, now: .now)
            _ = try authority.authority.revoke(serial: old.1, now: .now)
            try authority.publish(to: "\(authority.folder)/control-desk")
            try authority.publish(to: "\(authority.folder)/hypervisor-far")
            try await Task.sleep(for: .milliseconds(700))
            #expect(try await remote.machines(of: nil) == [])
            await remote.close()
        }
        #expect(far.calls.count == 3)
    }

    /// What a listener answers to bytes that are no handshake.
    private static func exchange(_ port: Int, _ bytes: [UInt8]) throws -> [UInt8] {
        let descriptor = try connected(port)
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(descriptor, Int32(SHUT_WR))
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = answer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        return Array(answer.prefix(max(0, count)))
    }

    private static func connected(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
        return descriptor
    }
}
