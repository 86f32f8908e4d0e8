import Testing
import Time

@testable import PKI

@Suite struct RevokingTests {
    @Test func `one certificate is revoked by its serial number, and the others are not`() throws {
        let lab = try Lab()
        let old = try lab.issue(.hypervisor, "edge1")
        _ = try lab.issue(.hypervisor, "edge1")
        let later = lab.now + .seconds(60)
        let revoked = try lab.authority.revoke(serial: old.identity.serial.uppercased(), now: later)
        #expect(revoked.map(\.serial) == [old.identity.serial])
        #expect(revoked[0].revoked == later.toSecond)
        #expect(try lab.authority.list().map(\.revoked) == [later.toSecond, nil])
        let list = try lab.authority.revocations(now: later)
        #expect(list.entries == [.init(serial: old.identity.serial, revoked: later.toSecond)])
        #expect(list.sequence == 2)
    }

    @Test func `a name's certificates are revoked together, of both roles or of one`() throws {
        let lab = try Lab()
        for role in [Role.control, .hypervisor, .hypervisor] { _ = try lab.issue(role, "edge1") }
        _ = try lab.issue(.control, "desk")
        #expect(try lab.authority.revoke(name: "edge1", role: .hypervisor, now: lab.now).count == 2)
        #expect(try lab.authority.list().map { $0.revoked != nil } == [false, true, true, false])
        #expect(try lab.authority.revoke(name: "edge1", now: lab.now + .seconds(9)).count == 3)
        let records = try lab.authority.list()
        #expect(records.map { $0.revoked != nil } == [true, true, true, false])
        #expect(records[1].revoked == lab.now.toSecond)
    }

    @Test func `revoking again changes nothing`() throws {
        let lab = try Lab()
        _ = try lab.issue(.hypervisor, "edge1")
        try lab.authority.revoke(name: "edge1", now: lab.now)
        let bytes = try lab.folder.bytes("pki/revoked")
        let again = try lab.authority.revoke(name: "edge1", now: lab.now + .seconds(100))
        #expect(again.map(\.revoked) == [lab.now.toSecond])
        #expect(try lab.folder.bytes("pki/revoked") == bytes)
    }

    @Test func `what was never issued cannot be revoked`() throws {
        let lab = try Lab()
        _ = try lab.issue(.hypervisor, "edge1")
        #expect(code { try lab.authority.revoke(serial: "00ff", now: lab.now) } == .unknown)
        #expect(code { try lab.authority.revoke(serial: "", now: lab.now) } == .unknown)
        #expect(code { try lab.authority.revoke(name: "edge2", now: lab.now) } == .unknown)
        #expect(code { try lab.authority.revoke(name: "edge1", role: .control, now: lab.now) } == .unknown)
        #expect(try lab.authority.revocations(now: lab.now).sequence == 1)
    }

    @Test func `a list that was not signed any more is signed by the next`() throws {
        let lab = try Lab()
        let before = try lab.folder.bytes("pki/revoked")
        let peer = try lab.issue(.hypervisor, "edge1")
        try lab.authority.revoke(name: "edge1", now: lab.now)
        try lab.folder.write("pki/revoked", before)
        try lab.authority.revoke(name: "edge1", now: lab.now)
        #expect(try lab.folder.bytes("pki/revoked") != before)
        try lab.folder.remove("pki/revoked")
        let list = try lab.authority.revocations(now: lab.now)
        #expect(list.entries.map(\.serial) == [peer.identity.serial])
        #expect(try lab.folder.bytes("pki/revoked") == list.bytes)
    }

    @Test func `a list of another key is not passed on as the authority's`() throws {
        let lab = try Lab()
        try lab.folder.write("pki/revoked", try Lab().folder.bytes("pki/revoked"))
        #expect(code { _ = try lab.authority.revocations(now: lab.now) } == .revocations)
    }

    @Test func `a record older than the list revokes nothing`() throws {
        let lab = try Lab()
        _ = try lab.issue(.hypervisor, "edge1")
        let backup = try lab.folder.bytes("pki/issued.json")
        try lab.authority.revoke(name: "edge1", now: lab.now)
        try lab.folder.write("pki/issued.json", backup)
        #expect(code { _ = try lab.authority.revocations(now: lab.now) } == .record)
    }

    @Test func `without the key nothing is revoked by half`() throws {
        let lab = try Lab()
        _ = try lab.issue(.hypervisor, "edge1")
        try lab.folder.remove("pki/ca.key")
        #expect(code { try lab.authority.revoke(name: "edge1", now: lab.now) } == .missing)
        #expect(try lab.authority.list().map(\.revoked) == [nil])
    }
}
