import Glibc
import SwiftASN1
import Testing
import Time
import X509

@testable import PKI

@Suite struct CredentialsTests {
    @Test func `what is written is read again, and nobody else can read it`() throws {
        let lab = try Lab()
        let credentials = try lab.issue(.hypervisor, "edge1")
        let path = lab.folder.place("edge1.pem")
        try credentials.write(to: path)
        #expect(try lab.folder.mode("edge1.pem") == 0o600)
        let read = try Credentials(readingFrom: path)
        #expect(read.identity == credentials.identity)
        #expect(read.authorities == [lab.authority.certificate])
        #expect(read.privateKeyDER == credentials.privateKeyDER)
        #expect(try read.certificateChain() == credentials.certificateChain())
    }

    @Test func `a file that is there is kept`() throws {
        let lab = try Lab()
        try lab.folder.write("edge1.pem", "something")
        #expect(code { try lab.issue(.hypervisor, "edge1").write(to: lab.folder.place("edge1.pem")) } == .exists)
        #expect(try lab.folder.text("edge1.pem") == "something")
        try #require(symlink(lab.folder.place("target"), lab.folder.place("link.pem")) == 0)
        #expect(code { try lab.issue(.hypervisor, "edge1").write(to: lab.folder.place("link.pem")) } == .exists)
        #expect(!lab.folder.names.contains("target"))
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o602, 0o660] as [mode_t])
    func `a file that others may read or write is refused`(_ mode: mode_t) throws {
        let lab = try Lab()
        let path = lab.folder.place("edge1.pem")
        try lab.issue(.hypervisor, "edge1").write(to: path)
        try lab.folder.setMode("edge1.pem", mode)
        #expect(code { _ = try Credentials(readingFrom: path) } == .permissions)
        try lab.folder.setMode("edge1.pem", 0o400)
        _ = try Credentials(readingFrom: path)
    }

    @Test func `where no file is, or no file can be, there are none`() throws {
        let lab = try Lab()
        #expect(code { _ = try Credentials(readingFrom: lab.folder.place("edge1.pem")) } == .missing)
        #expect(code { try lab.issue(.control, "a").write(to: lab.folder.place("no/a.pem")) } == .missing)
        #expect(code { _ = try Credentials(readingFrom: lab.folder.path) } == .permissions)
    }

    @Test func `a file cut short is refused`() throws {
        let lab = try Lab()
        let bytes = Array(try lab.issue(.hypervisor, "edge1").pem().utf8)
        _ = try Credentials(parsing: bytes, path: "file")
        // The last byte is the end of the last line, which PEM can do without.
        for length in 0..<(bytes.count - 1) {
            #expect(
                code { _ = try Credentials(parsing: Array(bytes[..<length]), path: "file") } == .certificate,
                "\(length) bytes"
            )
        }
    }

    @Test func `bytes that are none are refused`() throws {
        let lab = try Lab()
        let bytes = Array(try lab.issue(.hypervisor, "edge1").pem().utf8)
        var dice = Dice(seed: 1)
        for _ in 0..<1_000 {
            let mutated = dice.mutate(bytes)
            // Base64 can say the same in two ways, between its end and its padding.
            if let read = try? Credentials(parsing: mutated, path: "file") {
                #expect(read.identity.name == "edge1")
            }
        }
        #expect(code { _ = try Credentials(parsing: [0xff, 0xfe], path: "file") } == .certificate)
    }

    @Test func `parts that do not belong together are refused`() throws {
        let (lab, stranger) = (try Lab(), try Lab())
        let (one, two) = (try lab.issue(.hypervisor, "edge1"), try lab.issue(.hypervisor, "edge2"))
        let leaf = try one.certificate.pem()
        let key = try Self.key(one)
        let authority = lab.authority.certificate.pem
        for parts in [
            [leaf, try Self.key(two), authority],  // another's key
            [leaf, key, stranger.authority.certificate.pem],  // another authority
            [leaf, key],  // no authority
            [leaf, authority],  // no key
            [leaf, key, key, authority],  // two keys
            [authority, key, leaf],  // in another order
            [leaf, key, authority, try two.certificate.pem()],  // something more
            [key],
        ] {
            #expect(code { _ = try Credentials(parsing: Array(parts.joined().utf8), path: "file") } == .certificate)
        }
        _ = try Credentials(parsing: Array([leaf, key, authority].joined().utf8), path: "file")
        _ = try Credentials(parsing: Array([key, leaf, authority].joined().utf8), path: "file")
    }

    @Test func `no key is told where credentials are described`() throws {
        let credentials = try Lab().issue(.hypervisor, "edge1")
        #expect("\(credentials)" == "hypervisor edge1, certificate \(credentials.identity.serial)")
        #expect(!String(reflecting: credentials).contains("PRIVATE"))
    }

    @Test func `the certificate says what it is for`() throws {
        let lab = try Lab()
        let credentials = try lab.authority.issue(
            role: .hypervisor,
            name: "edge1",
            addresses: ["edge1.example", "192.0.2.7", "2001:db8::1"],
            now: lab.now
        )
        let extensions = credentials.certificate.extensions
        let names = try #require(try extensions.subjectAlternativeNames).map { "\($0)" }.joined(separator: " ")
        #expect(names.contains("fermata://hypervisor/edge1"))
        #expect(names.contains("edge1.example"))
        let numeric = try #require(try extensions.subjectAlternativeNames).compactMap { name -> [UInt8]? in
            if case .ipAddress(let bytes) = name { Array(bytes.bytes) } else { nil }
        }
        #expect(numeric == [[192, 0, 2, 7], [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]])
        #expect(try extensions.basicConstraints == .notCertificateAuthority)
        #expect(extensions.first { $0.oid == [2, 5, 29, 19] }?.critical == true)
        #expect(try extensions.keyUsage == KeyUsage(digitalSignature: true))
        #expect(try extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth, .clientAuth]))
        #expect(
            try extensions.authorityKeyIdentifier?.keyIdentifier
                == SubjectKeyIdentifier(hash: lab.authority.certificate.certificate.publicKey).keyIdentifier
        )
        #expect(credentials.certificate.version == .v3)
        let start = HostInstant(credentials.certificate.notValidBefore)
        #expect(start == (lab.now - .seconds(300)).toSecond)
    }

    @Test func `serial numbers are long, positive and never the same`() throws {
        let lab = try Lab()
        let serials = try (0..<40).map { _ in Array(try lab.issue(.control, "desk").certificate.serialNumber.bytes) }
        #expect(Set(serials).count == 40)
        #expect(serials.allSatisfy { (16...20).contains($0.count) && $0[0] < 0x80 && $0[0] > 0 })
    }

    private static func key(_ credentials: Credentials) throws -> String {
        let pem = try credentials.pem()
        let start = try #require(pem.firstRange(of: "-----BEGIN PRIVATE KEY-----"))
        let end = try #require(pem.firstRange(of: "-----END PRIVATE KEY-----\n"))
        return String(pem[start.lowerBound..<end.upperBound])
    }
}
