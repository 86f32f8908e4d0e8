import Glibc
import Testing
import Time

@testable import PKI

@Suite struct AuthorityTests {
    @Test func `a new authority is private, and only its certificate and list are for others`() throws {
        let lab = try Lab()
        #expect(try lab.folder.mode("pki") == 0o700)
        #expect(try lab.folder.mode("pki/ca.key") == 0o600)
        #expect(try lab.folder.mode("pki/issued.json") == 0o600)
        #expect(try lab.folder.mode("pki/ca.pem") & 0o022 == 0)
        #expect(try lab.folder.mode("pki/revoked") & 0o022 == 0)
        #expect(try !lab.folder.text("pki/ca.pem").contains("PRIVATE"))
        #expect(try lab.authority.list().isEmpty)
        #expect(lab.authority.certificate.expires == (lab.now + Authority.defaultValidity).toSecond)
    }

    @Test func `an authority that is there is kept`() throws {
        let lab = try Lab()
        let key = try lab.folder.bytes("pki/ca.key")
        #expect(code { _ = try Authority.create(at: lab.authority.path, name: "lab", now: lab.now) } == .exists)
        #expect(try lab.folder.bytes("pki/ca.key") == key)
        #expect(try Authority(openingAt: lab.authority.path).certificate == lab.authority.certificate)
    }

    @Test(arguments: ["ca.key", "issued.json", "revoked"])
    func `what remains of an authority is kept too`(_ name: String) throws {
        let folder = try Folder()
        try folder.write(name, "what remains")
        #expect(code { _ = try Authority.create(at: folder.path, name: "lab", now: Lab.now) } == .exists)
        #expect(try folder.text(name) == "what remains")
        #expect(!folder.names.contains("ca.pem"))
    }

    @Test func `where none is, none can be opened`() throws {
        let folder = try Folder()
        #expect(code { _ = try Authority(openingAt: folder.path) } == .missing)
        #expect(code { _ = try Authority(openingAt: folder.place("nowhere")) } == .missing)
        #expect(code { _ = try Authority(openingAt: "relative/path") } == .io)
        #expect(code { _ = try Authority.create(at: "relative/path", name: "lab", now: Lab.now) } == .io)
        #expect(code { _ = try Authority.create(at: folder.place("no/where"), name: "lab", now: Lab.now) } == .missing)
    }

    @Test(arguments: [
        "", "Lab", "-lab", "lab.example", "l/ab", "läb", String(repeating: "a", count: 64), "lab\n", "a\0",
    ])
    func `names that machines cannot have are refused`(_ name: String) throws {
        let lab = try Lab()
        #expect(code { _ = try lab.authority.issue(role: .control, name: name, now: lab.now) } == .name)
        #expect(code { _ = try Authority.create(at: lab.folder.place("two"), name: name, now: lab.now) } == .name)
        #expect(try lab.authority.list().isEmpty)
    }

    @Test func `names up to 63 characters are taken`() throws {
        let lab = try Lab()
        for name in ["a", "0", "edge-1_b", String(repeating: "a", count: 63)] {
            #expect(try lab.issue(.hypervisor, name).identity.name == name)
        }
    }

    @Test func `what is issued is on record, also for who opens it later`() throws {
        let lab = try Lab()
        let first = try lab.authority.issue(
            role: .hypervisor,
            name: "edge1",
            addresses: ["Edge1.Lab.Example", "192.0.2.7", "2001:DB8::7", "192.0.2.7", "edge1"],
            validity: Lab.day,
            now: lab.now
        )
        let second = try lab.issue(.control, "desk")
        let records = try Authority(openingAt: lab.authority.path).list()
        #expect(records.map(\.serial) == [first.identity.serial, second.identity.serial])
        #expect(records.map(\.name) == ["edge1", "desk"])
        #expect(records.map(\.role) == [.hypervisor, .control])
        #expect(records[0].addresses == ["edge1.lab.example", "192.0.2.7", "2001:db8::7"])
        #expect(records[0].issued == lab.now.toSecond)
        #expect(records[0].expires == (lab.now + Lab.day).toSecond)
        #expect(records[0].expires == first.identity.expires)
        #expect(records.allSatisfy { $0.revoked == nil })
    }

    @Test(arguments: [
        "", "*.lab", "a..b", "300.1.1.1", "1.2.3", "fe80::1%eth0", "host:80", "http://host", "a b", "-a", "a-", "::1\0",
        String(repeating: "a.", count: 130) + "a",
    ])
    func `what is no address is refused`(_ address: String) throws {
        let lab = try Lab()
        #expect(
            code { _ = try lab.authority.issue(role: .control, name: "desk", addresses: [address], now: lab.now) }
                == .address
        )
        #expect(try lab.authority.list().isEmpty)
    }

    @Test func `a host has no more than 32 addresses`() throws {
        let lab = try Lab()
        let addresses = (1...33).map { "192.0.2.\($0)" }
        #expect(
            code { _ = try lab.authority.issue(role: .control, name: "desk", addresses: addresses, now: lab.now) }
                == .address
        )
        _ = try lab.authority.issue(role: .control, name: "desk", addresses: Array(addresses.dropLast()), now: lab.now)
    }

    @Test func `no certificate outlives its authority`() throws {
        let lab = try Lab(validity: .seconds(1_000))
        #expect(code { _ = try lab.issue(.control, "desk", validity: .seconds(1_001)) } == .validity)
        _ = try lab.issue(.control, "desk", validity: .seconds(1_000))
    }

    @Test func `a certificate is valid for a second at least, and not for ever`() throws {
        let lab = try Lab()
        for span in [Span.zero, .seconds(-5), .milliseconds(999), Span(nanoseconds: .max)] {
            #expect(code { _ = try lab.issue(.control, "desk", validity: span) } == .validity, "\(span)")
            #expect(
                code {
                    _ = try Authority.create(at: lab.folder.place("b"), name: "b", validity: span, now: lab.now)
                } == .validity
            )
        }
    }

    @Test func `an authority without its own key issues nothing`() throws {
        let lab = try Lab()
        let other = try Lab()
        try lab.folder.write("pki/ca.key", try other.folder.bytes("pki/ca.key"))
        #expect(code { _ = try lab.issue(.control, "desk") } == .certificate)
        try lab.folder.write("pki/ca.key", "no key")
        #expect(code { _ = try lab.issue(.control, "desk") } == .certificate)
        try lab.folder.remove("pki/ca.key")
        #expect(code { _ = try lab.issue(.control, "desk") } == .missing)
        #expect(try lab.authority.list().isEmpty)
    }

    @Test func `a record that cannot be read is not begun anew`() throws {
        let lab = try Lab()
        for text in ["", "{", #"{"format": 2, "sequence": 1, "certificates": []}"#, #"{"format": 1, "sequence": -1}"#] {
            try lab.folder.write("pki/issued.json", text)
            #expect(code { _ = try lab.issue(.control, "desk") } == .record)
            #expect(code { _ = try lab.authority.list() } == .record)
            #expect(try lab.folder.text("pki/issued.json") == text)
        }
        try lab.folder.remove("pki/issued.json")
        #expect(code { _ = try lab.issue(.control, "desk") } == .missing)
    }

    @Test func `the authority's certificate cut short opens nothing`() throws {
        let lab = try Lab()
        let pem = try lab.folder.bytes("pki/ca.pem")
        for length in 0..<(pem.count - 1) {
            try lab.folder.write("pki/ca.pem", Array(pem[..<length]))
            #expect(code { _ = try Authority(openingAt: lab.authority.path) } == .certificate, "\(length) bytes")
        }
    }
}
