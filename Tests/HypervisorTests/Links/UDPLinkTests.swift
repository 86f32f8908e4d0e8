import Glibc
import HypervisorAPI
import Testing

@testable import Hypervisor

/// A link whose ends are on two hosts, both of which are this one.
struct UDPLinkTests {
    private static func link(_ a: String?, _ b: String?, _ kind: LinkSpec.Kind = .dgram) -> LinkSpec {
        LinkSpec(name: "lan", kind: kind, ends: [.init(machine: "a", address: a), .init(machine: "b", address: b)])
    }

    /// Two ports that were free a moment ago.
    private static func freeLink(_ host: String = "127.0.0.1") throws -> LinkSpec {
        let ports = try (0..<2).map { _ in
            let socket = try open(host)
            var storage = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let result = withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &length) }
            }
            try #require(result == 0)
            return (socket, UInt16(bigEndian: storage.sin6_port))
        }
        return link("\(host):\(ports[0].1)", "\(host):\(ports[1].1)")
    }

    private static func open(_ host: String) throws -> OwnedDescriptor {
        let address = try #require(UDPAddress("\(host):9")?.withoutPort)
        let socket = OwnedDescriptor(Glibc.socket(address.family, Int32(SOCK_DGRAM.rawValue), 0))
        try #require(address.bind(socket))
        return socket
    }

    private static func ends(of link: LinkSpec) throws -> (a: LinkPair, b: LinkPair) {
        (try LinkPair(link, among: ["a", "other"]), try LinkPair(link, among: ["b"]))
    }

    private static func arrived(_ socket: OwnedDescriptor, _ count: Int) async throws -> [[UInt8]]? {
        for _ in 0..<500 where SocketQueue.peek(socket, datagrams: true)?.count ?? 0 < count {
            try await Task.sleep(for: .milliseconds(2))
        }
        return SocketQueue.peek(socket, datagrams: true)
    }

    @Test(arguments: ["127.0.0.1", "[::1]"])
    func frames(_ host: String) async throws {
        let (a, b) = try Self.ends(of: Self.freeLink(host))
        try a.join()
        try b.join()
        let there = (0..<40).map { [UInt8](repeating: $0, count: 60 + Int($0) * 37) }
        #expect(SocketQueue.write(there, into: a.ends[0], datagrams: true))
        #expect(try await Self.arrived(b.ends[1], 40) == there)
        #expect(SocketQueue.write([[7]], into: b.ends[1], datagrams: true))
        #expect(try await Self.arrived(a.ends[0], 1) == [[7]])
    }

    @Test func `what was on its way comes first, and what the peer sends after it`() async throws {
        let link = try Self.freeLink()
        let (a, b) = try Self.ends(of: link)
        let saved = [LinkTraffic(link: "lan", kind: .dgram, towards: "b", frames: [[1, 1], [2]])]
        try LinkReplay.prime(b, with: saved)
        try await LinkReplay.deliver(b, saved)
        try a.join()
        try b.join()
        #expect(SocketQueue.write([[3]], into: a.ends[0], datagrams: true))
        #expect(try await Self.arrived(b.ends[1], 3) == [[1, 1], [2], [3]])
    }

    @Test func `nobody but the peer is heard, neither before nor after the link is joined`() async throws {
        let link = try Self.freeLink()
        let (a, b) = try Self.ends(of: link)
        let stranger = try Self.open("127.0.0.1")
        try #require(UDPAddress(link.ends[1].address ?? "")?.connect(stranger) == true)
        #expect(SocketQueue.write([[9]], into: stranger, datagrams: true))
        try a.join()
        try b.join()
        _ = SocketQueue.write([[9]], into: stranger, datagrams: true)
        #expect(SocketQueue.write([[1]], into: a.ends[0], datagrams: true))
        #expect(try await Self.arrived(b.ends[1], 1) == [[1]])
    }

    @Test func `a peer that is not there yet loses frames and harms nothing`() async throws {
        let link = try Self.freeLink()
        let a = try LinkPair(link, among: ["a"])
        try a.join()
        #expect(SocketQueue.write([[1]], into: a.ends[0], datagrams: true))
        // The host has answered that nobody is there.
        try await Task.sleep(for: .milliseconds(50))
        #expect(SocketQueue.peek(a.ends[0], datagrams: true) == [])
        let b = try LinkPair(link, among: ["b"])
        try b.join()
        #expect(SocketQueue.write([[2]], into: a.ends[0], datagrams: true))
        #expect(try await Self.arrived(b.ends[1], 1) == [[2]])
    }

    @Test func `a port that is taken and an address of another host are refused by name`() throws {
        let link = try Self.freeLink()
        let first = try LinkPair(link, among: ["a"])
        let taken = #expect(throws: HypervisorError.self) { try LinkPair(link, among: ["a"]) }
        #expect(taken?.reasons.map(\.code) == ["link-port-taken"] && taken?.reasons.first?.machine == "a")
        withExtendedLifetime(first) {}
        // Of a range that is for documentation.
        let elsewhere = #expect(throws: HypervisorError.self) {
            try LinkPair(Self.link("192.0.2.1:24000", "192.0.2.2:24001"), among: ["a"])
        }
        #expect(elsewhere?.reasons.map(\.code) == ["link-address-elsewhere"])
    }

    @Test(
        arguments: [
            (nil, "127.0.0.1:24001"), ("127.0.0.1:24000", nil), ("localhost:24000", "127.0.0.1:24001"),
            ("127.0.0.1:0", "127.0.0.1:24001"), ("127.0.0.1:+24000", "127.0.0.1:24001"), ("::1:24000", "::1:24001"),
            ("[127.0.0.1]:24000", "127.0.0.1:24001"), ("[::1]:24000", "127.0.0.1:24001"), ("24000", ""),
            (":24000", ":24001"),
            ("0.0.0.0:24000", "127.0.0.1:24001"), ("224.0.0.1:24000", "224.0.0.1:24001"), ("[::]:24000", "[::]:24001"),
            ("[ff02::1]:24000", "[::1]:24001"), ("[::ffff:127.0.0.1]:24000", "[::1]:24001"),
            ("127.0.0.1:24000", "192.0.2.1:24001"),
            ("127.0.0.1:024000", "127.0.0.1:24001"), ("127.0.0.1:99999", "127.0.0.1:24001"),
            ("127.0.0.1\0:24000", "127.0.0.1:24001"),
        ] as [(String?, String?)]
    )
    func `what is no address is refused`(_ a: String?, _ b: String?) {
        let error = #expect(throws: HypervisorError.self) { try LinkPair(Self.link(a, b), among: ["a"]) }
        #expect(error?.reasons.map(\.code) == ["link-invalid"])
    }

    @Test(arguments: [LinkSpec.Kind.stream, .serial])
    func `only frames travel between hosts`(_ kind: LinkSpec.Kind) {
        let link = Self.link("127.0.0.1:24000", "127.0.0.1:24001", kind)
        let error = #expect(throws: HypervisorError.self) { try LinkPair(link, among: ["a"]) }
        #expect(error?.reasons.map(\.code) == ["link-invalid"])
    }
}
