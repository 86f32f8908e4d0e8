import Glibc
import Testing
import Time

@testable import PKI

private let isOpenSSLInstalled = (try? Folder.shell("openssl version")) != nil

/// What a program says of it that fermata has no part in.
@Suite(.enabled(if: isOpenSSLInstalled, "there is no program 'openssl' to compare with"))
struct OpenSSLTests {
    /// The files, made at this host's time: openssl goes by it.
    private static func files() throws -> (Lab, Credentials) {
        let lab = try Lab(now: HostInstant(nanosecondsSinceEpoch: Int64(time(nil)) * 1_000_000_000))
        let now = HostInstant(nanosecondsSinceEpoch: Int64(time(nil)) * 1_000_000_000)
        let credentials = try lab.authority.issue(
            role: .hypervisor,
            name: "edge1",
            addresses: ["edge1.example", "192.0.2.7"],
            now: now
        )
        try credentials.write(to: lab.folder.place("edge1.pem"))
        return (lab, credentials)
    }

    @Test(arguments: ["sslserver", "sslclient"])
    func `it verifies what the authority issued`(_ purpose: String) throws {
        let (lab, _) = try Self.files()
        let command = "openssl verify -x509_strict -purpose \(purpose) -CAfile"
        let leaf = lab.folder.place("edge1.pem")
        #expect(try Folder.shell("\(command) \(lab.folder.place("pki/ca.pem")) \(leaf)").contains("edge1.pem: OK"))
        let other = try Lab()
        #expect(throws: Failure.self) { try Folder.shell("\(command) \(other.folder.place("pki/ca.pem")) \(leaf)") }
    }

    @Test(arguments: [
        ("-verify_hostname edge1", true), ("-verify_ip 192.0.2.7", true), ("-verify_hostname edge2", false),
    ])
    func `it finds the names`(_ option: String, _ isRight: Bool) throws {
        let (lab, _) = try Self.files()
        let command =
            "openssl verify \(option) -CAfile \(lab.folder.place("pki/ca.pem")) \(lab.folder.place("edge1.pem"))"
        #expect(((try? Folder.shell(command)) != nil) == isRight)
    }

    @Test func `it reads the same in them`() throws {
        let (lab, credentials) = try Self.files()
        let text = try Folder.shell("openssl x509 -noout -text -in \(lab.folder.place("edge1.pem"))")
        #expect(text.contains("URI:fermata://hypervisor/edge1"))
        #expect(text.contains("DNS:edge1, DNS:edge1.example, IP Address:192.0.2.7"))
        #expect(text.contains("ecdsa-with-SHA256"))
        let serial = try Folder.shell("openssl x509 -noout -serial -in \(lab.folder.place("edge1.pem"))")
        #expect(serial.lowercased() == "serial=\(credentials.identity.serial)\n")
        let own = try Folder.shell("openssl pkey -pubout -in \(lab.folder.place("edge1.pem"))")
        #expect(own == (try Folder.shell("openssl x509 -noout -pubkey -in \(lab.folder.place("edge1.pem"))")))
    }
}
