import Crypto
import Testing
import Time

@testable import PKI

@Suite struct RevocationListTests {
    private static func list(
        _ lab: Lab,
        sequence: UInt64 = 7,
        serials: [String] = ["0a1b", "ff"]
    ) throws -> RevocationList {
        try RevocationList(
            sequence: sequence,
            issued: Lab.now,
            entries: serials.map { .init(serial: $0, revoked: Lab.now.toSecond) },
            signedBy: try lab.key()
        )
    }

    private static func parsed(_ text: String) throws -> RevocationList {
        try #require(try RevocationList.all(in: Array(text.utf8), path: "list").first)
    }

    private static func text(_ list: RevocationList) -> String { String(decoding: list.bytes, as: UTF8.self) }

    @Test func `what is written is read again, and is the authority's`() throws {
        let lab = try Lab()
        let list = try Self.list(lab, serials: ["ff", "0a1b"])
        let read = try RevocationList.all(in: list.bytes, path: "list")
        #expect(read == [list])
        #expect(list.entries.map(\.serial) == ["0a1b", "ff"])
        try read[0].verify(with: lab.authority.certificate)
    }

    @Test func `lists of several authorities follow each other in one file`() throws {
        let labs = [try Lab(), try Lab()]
        let lists = try labs.map { try Self.list($0) }
        #expect(try RevocationList.all(in: lists.flatMap(\.bytes), path: "list") == lists)
    }

    @Test func `a list of another authority is not this one's`() throws {
        let lab = try Lab()
        let list = try Self.list(try Lab())
        #expect(code { try list.verify(with: lab.authority.certificate) } == .revocations)
        // Also when it says that it is.
        let text = Self.text(list).replacing(list.authority, with: lab.authority.certificate.fingerprint)
        #expect(code { try Self.parsed(text).verify(with: lab.authority.certificate) } == .revocations)
    }

    @Test(arguments: [
        ("sequence 7", "sequence 8"), ("revoked ff ", "revoked fe "), ("issued 20", "issued 21"),
        ("revoked 0a1b 2026", "revoked 0a1b 2027"),
    ])
    func `each thing that it says is signed`(_ old: String, _ new: String) throws {
        let lab = try Lab()
        let text = Self.text(try Self.list(lab))
        let forged = text.replacing(old, with: new)
        try #require(forged != text)
        #expect(code { try Self.parsed(forged).verify(with: lab.authority.certificate) } == .revocations)
    }

    @Test func `an entry cannot be taken out`() throws {
        let lab = try Lab()
        let lines = Self.text(try Self.list(lab)).split(separator: "\n")
        let forged = lines.filter { !$0.hasPrefix("revoked ff") }.map { $0 + "\n" }.joined()
        #expect(code { try Self.parsed(forged).verify(with: lab.authority.certificate) } == .revocations)
    }

    @Test func `no byte can be another one`() throws {
        let lab = try Lab()
        let bytes = try Self.list(lab).bytes
        for index in bytes.indices {
            for mask in [UInt8(1), 0x20, 0x80] {
                var forged = bytes
                forged[index] ^= mask
                #expect(
                    code {
                        let lists = try RevocationList.all(in: forged, path: "list")
                        try lists.first?.verify(with: lab.authority.certificate)
                    } == .revocations,
                    "byte \(index)"
                )
            }
        }
    }

    @Test func `a list cut short is none`() throws {
        let bytes = try Self.list(try Lab()).bytes
        for length in 0..<bytes.count {
            #expect(
                code { _ = try RevocationList.all(in: Array(bytes[..<length]), path: "list") } == .revocations,
                "\(length) bytes"
            )
        }
    }

    @Test(arguments: [
        ("sequence 7", "sequence +7"), ("sequence 7", "sequence 07"), ("sequence 7", "sequence  7"),
        ("sequence 7", "sequence 18446744073709551616"), ("revoked 0a1b", "revoked 0A1B"),
        ("revoked ff ", "revoked  ff "), ("revoked ff ", "revoked 00 "), ("revoked ff ", "revoked 0a1b "),
        ("revoked ff ", "revoked f "), ("revoked ff ", "revoked  "), ("T", " "), ("Z", "+00:00"), ("Z", ".0Z"),
        ("Z\n", "\n"), ("revocations 1", "revocations 2"), ("\n", "\r\n"), ("signature", "\nsignature"),
        ("authority ", "authority 00"), ("\nissued", "\nnote\nissued"),
    ])
    func `only one text is a list`(_ old: String, _ new: String) throws {
        let text = Self.text(try Self.list(try Lab()))
        let other = text.replacing(old, with: new)
        try #require(other != text)
        #expect(code { _ = try Self.parsed(other) } == .revocations)
    }

    @Test func `a list never goes back`() throws {
        let lab = try Lab()
        let (old, new) = (try Self.list(lab, sequence: 7), try Self.list(lab, sequence: 8))
        try new.requireSuccessor(of: old)
        #expect(code { try old.requireSuccessor(of: new) } == .outdated)
    }

    @Test func `two lists of one number say the same`() throws {
        let lab = try Lab()
        let list = try Self.list(lab)
        // ECDSA signs with a random number: other bytes, the same list.
        try Self.list(lab).requireSuccessor(of: list)
        #expect(code { try Self.list(lab, serials: ["ff"]).requireSuccessor(of: list) } == .outdated)
    }

    @Test func `there is a limit to what is read`() throws {
        let key = P256.Signing.PrivateKey()
        let entries = (0...RevocationList.limit).map { number in
            let bytes = [
                UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
                UInt8(truncatingIfNeeded: number),
            ]
            return RevocationList.Entry(serial: Hex.text(bytes), revoked: Lab.now.toSecond)
        }
        let full = try RevocationList(sequence: 1, issued: Lab.now, entries: entries.dropLast(), signedBy: key)
        #expect(try RevocationList.all(in: full.bytes, path: "list") == [full])
        let over = try RevocationList(sequence: 1, issued: Lab.now, entries: entries, signedBy: key)
        #expect(code { _ = try RevocationList.all(in: over.bytes, path: "list") } == .revocations)
    }
}
