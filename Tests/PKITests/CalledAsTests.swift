import Testing

@testable import PKI

/// By which names and addresses a host may be called, going by its certificate.
struct CalledAsTests {
    private static func refusal(_ certificate: [UInt8], _ host: String) -> PeerRefusal.Reason? {
        do throws(PeerRefusal) {
            _ = try PeerIdentity(ofAccepted: certificate, calledAs: host)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `a name is answered for by a name, an address by an address`() throws {
        let lab = try Lab()
        let addresses = ["desk.example", "192.0.2.7", "2001:db8::7"]
        let chain = try lab.authority.issue(role: .control, name: "desk", addresses: addresses, now: Lab.now)
            .certificateChain()
        for host in [
            "desk", "desk.example", "DESK.Example", "desk.example.", "192.0.2.7", "2001:db8::7", "2001:DB8:0::7",
        ] {
            #expect(Self.refusal(chain[0], host) == nil, "\(host)")
        }
        for host in [
            "localhost", "desk.example.org", "example", "192.0.2.8", "2001:db8::8", "::ffff:192.0.2.7", "192.0.2.7.",
            "*",
            "", ".", "fermata://control/desk", "desk_example",
        ] {
            #expect(Self.refusal(chain[0], host) == .wrongName, "\(host)")
        }
    }

    @Test func `what is no certificate of a host is none by any name`() throws {
        #expect(Self.refusal([0x30, 0x00], "desk") == .malformed)
        #expect(Self.refusal([], "desk") == .malformed)
    }
}
