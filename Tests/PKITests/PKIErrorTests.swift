import FoundationEssentials
import Glibc
import Testing

@testable import PKI

@Suite struct PKIErrorTests {
    @Test func `codes and reasons stay what programs know them by`() {
        #expect(
            PKIError.Code.allCases.map(\.rawValue) == [
                "pki-exists", "pki-missing", "pki-permissions", "pki-name", "pki-address", "pki-validity",
                "pki-certificate", "pki-record", "pki-unknown", "pki-revocations", "pki-outdated", "pki-io",
            ]
        )
        #expect(
            PeerRefusal.Reason.allCases.map(\.rawValue) == [
                "expired", "not-yet-valid", "wrong-authority", "revoked", "wrong-role", "wrong-name", "malformed",
            ]
        )
        #expect(Role.allCases.map(\.rawValue) == ["control", "hypervisor"])
    }

    @Test(arguments: [
        (ENOENT, PKIError.Code.missing, "it is not there"), (EEXIST, .exists, "nothing is written over"),
        (ELOOP, .permissions, "symbolic link"), (EACCES, .permissions, "Permission denied (errno 13)"),
        (ENOSPC, .io, "No space left on device (errno 28)"),
    ])
    func `an error of the system names the file and the cause`(_ number: Int32, _ code: PKIError.Code, _ words: String)
    {
        let error = PKIError.file("written", "/a/file", number)
        #expect(error.code == code)
        #expect(error.description.contains("/a/file"))
        #expect(error.description.contains(words))
    }

    @Test func `a refusal tells who was refused and why`() async throws {
        let lab = try Lab()
        let credentials = try lab.issue(.hypervisor, "edge1")
        let chain = try credentials.certificateChain()
        guard
            case .failure(let refusal) = try await lab.policy().identify(chain: chain, expecting: .control, at: lab.now)
        else { throw Failure("it was not refused") }
        #expect(refusal.description == "the peer is hypervisor edge1 by its certificate, and has to be a control")
        try lab.authority.revoke(name: "edge1", now: lab.now)
        guard case .failure(let later) = try await lab.policy().identify(chain: chain, expecting: .control, at: lab.now)
        else { throw Failure("it was not refused") }
        #expect(later.message.contains(credentials.identity.serial))
        #expect(later.message.contains("\(lab.now.toSecond)"))
    }

    @Test func `every code and reason is explained in the pages`() throws {
        let errors = try Self.page("errors.md")
        let page = try Self.page("pki.md")
        for code in PKIError.Code.allCases { #expect(errors.contains("\n| `\(code.rawValue)` |")) }
        for reason in PeerRefusal.Reason.allCases { #expect(page.contains("\n| `\(reason.rawValue)` |")) }
    }

    @Test func `the list that the page shows is one, but for its signature`() throws {
        let page = try Self.page("pki.md")
        let start = try #require(page.firstRange(of: "fermata-revocations 1\n")).lowerBound
        let text = page[start...].prefix { $0 != "`" }
        #expect(try RevocationList.all(in: Array(text.utf8), path: "the page").map(\.entries.count) == [2])
    }

    private static func page(_ name: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "docs/\(name)"), encoding: .utf8)
    }
}
