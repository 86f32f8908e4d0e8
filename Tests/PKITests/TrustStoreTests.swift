import Glibc
import Testing
import Time

@testable import PKI

@Suite struct TrustStoreTests {
    @Test func `a host's folder is all that it needs`() async throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        let store = try TrustStore.load(from: host.path)
        #expect(store.credentials.identity.name == "edge1")
        #expect(store.credentialsFile == "edge1.pem")
        let control = try lab.issue(.control, "desk").certificateChain()
        #expect(await store.policy.identify(chain: control, expecting: .control, at: lab.now).peer?.name == "desk")
        #expect(host.names == ["edge1.pem", "revoked"])
    }

    @Test(arguments: ["edge1.pem", "revoked"])
    func `a folder that lacks something is refused`(_ name: String) throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        try host.remove(name)
        #expect(code { _ = try TrustStore.load(from: host.path) } == .missing)
        #expect(code { _ = try TrustStore.load(from: host.place("nowhere")) } == .missing)
    }

    @Test func `of several credentials one has to be named`() throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        try lab.issue(.control, "desk").write(to: host.place("desk.pem"))
        #expect(code { _ = try TrustStore.load(from: host.path) } == .missing)
        #expect(try TrustStore.load(from: host.path, credentials: "desk.pem").credentials.identity.name == "desk")
    }

    @Test(
        arguments: [
            ("edge1.pem", 0o640), ("edge1.pem", 0o606), ("revoked", 0o664), ("revoked", 0o646), ("ca.pem", 0o664),
            (".", 0o770),
            (".", 0o703),
        ] as [(String, mode_t)]
    )
    func `what others may write, or a key that they may read, is refused`(_ name: String, _ mode: mode_t) throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        try host.write("ca.pem", lab.authority.certificate.pem, mode: 0o644)
        _ = try TrustStore.load(from: host.path)
        try host.setMode(name, mode)
        #expect(code { _ = try TrustStore.load(from: host.path) } == .permissions)
    }

    @Test func `a list that was forged or cut short is refused`() throws {
        let (lab, other) = (try Lab(), try Lab())
        let host = try lab.host("edge1")
        let bytes = try host.bytes("revoked")
        for wrong in [[], Array(bytes.dropLast()), bytes + bytes, try other.authority.revocations(now: lab.now).bytes] {
            try host.write("revoked", wrong)
            #expect(code { _ = try TrustStore.load(from: host.path) } == .revocations)
        }
    }

    @Test func `ca.pem alone says whom to trust, where it is`() async throws {
        let (old, new) = (try Lab(), try Lab())
        let host = try old.host("edge1")
        let lists = try [old, new].flatMap { try $0.authority.revocations(now: Lab.now).bytes }
        try host.write("revoked", lists)
        let (oldControl, newControl) = (try old.issue(.control, "a"), try new.issue(.control, "b"))
        func trusted() async throws -> [Bool] {
            let policy = try TrustStore.load(from: host.path).policy
            var trusted: [Bool] = []
            for control in [oldControl, newControl] {
                let chain = try control.certificateChain()
                trusted.append(await policy.identify(chain: chain, expecting: .control, at: Lab.now).peer != nil)
            }
            return trusted
        }
        #expect(try await trusted() == [true, false])
        try host.write("ca.pem", old.authority.certificate.pem + new.authority.certificate.pem)
        #expect(try await trusted() == [true, true])
        try host.write("ca.pem", new.authority.certificate.pem)
        #expect(try await trusted() == [false, true])
        try host.write("ca.pem", "")
        #expect(code { _ = try TrustStore.load(from: host.path) } == .certificate)
        try host.write("ca.pem", try old.issue(.control, "c").pem())
        #expect(code { _ = try TrustStore.load(from: host.path) } == .certificate)
    }

    @Test func `a change of any file is seen, and nothing else`() throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        var store = try TrustStore.load(from: host.path)
        #expect(!store.hasChanged())
        try host.write("note", "beside them")
        #expect(!store.hasChanged())
        let authority = lab.authority.certificate.pem
        let changes: [() throws -> Void] = [
            { try host.write("edge1.pem", try lab.issue(.hypervisor, "edge1").pem()) },
            { try host.write("revoked", try lab.authority.revocations(now: lab.now).bytes) },
            { try host.write("ca.pem", authority) },
            { try host.setMode("ca.pem", 0o640) },
            { try host.remove("ca.pem") },
        ]
        for (number, change) in changes.enumerated() {
            try change()
            #expect(store.hasChanged(), "change \(number)")
            store = try store.reloaded()
            #expect(!store.hasChanged(), "change \(number)")
        }
        try host.setMode(".", 0o777)
        #expect(store.hasChanged())
    }

    @Test func `credentials are changed without a restart`() throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        let store = try TrustStore.load(from: host.path)
        let next = try lab.issue(.hypervisor, "edge1")
        try host.write("edge1.pem", try next.pem())
        #expect(try store.reloaded().credentials.identity == next.identity)
        // A file that cannot be used leaves the former ones good.
        try host.write("edge1.pem", String(try next.pem().dropLast(40)))
        #expect(code { _ = try store.reloaded() } == .certificate)
        #expect(store.credentials.identity.serial != next.identity.serial)
    }

    @Test func `an older list does not come back`() async throws {
        let lab = try Lab()
        let host = try lab.host("edge1")
        let old = try host.bytes("revoked")
        let control = try lab.issue(.control, "desk")
        try lab.authority.revoke(name: "desk", now: lab.now)
        try host.write("revoked", try lab.authority.revocations(now: lab.now).bytes)
        let store = try TrustStore.load(from: host.path)
        try host.write("revoked", old)
        #expect(code { _ = try store.reloaded() } == .outdated)
        let chain = try control.certificateChain()
        #expect(await store.policy.identify(chain: chain, expecting: .control, at: lab.now).reason == .revoked)
    }

    @Test func `a new list is taken in, an old, foreign or forged one is not`() async throws {
        let (lab, other) = (try Lab(), try Lab())
        let host = try lab.host("edge1")
        let control = try lab.issue(.control, "desk")
        var store = try TrustStore.load(from: host.path)
        let old = try lab.authority.revocations(now: lab.now)
        try lab.authority.revoke(name: "desk", now: lab.now)
        let new = try lab.authority.revocations(now: lab.now)
        store = try store.installing(new)
        #expect(try host.bytes("revoked") == new.bytes)
        let chain = try control.certificateChain()
        #expect(await store.policy.identify(chain: chain, expecting: .control, at: lab.now).reason == .revoked)
        #expect(code { _ = try store.installing(old) } == .outdated)
        #expect(code { _ = try store.installing(try other.authority.revocations(now: lab.now)) } == .revocations)
        let forged = RevocationList(
            authority: new.authority,
            sequence: 9,
            issued: new.issued,
            entries: [],
            signature: new.signature
        )
        #expect(code { _ = try store.installing(forged) } == .revocations)
        #expect(try host.bytes("revoked") == new.bytes)
        #expect(try store.installing(new).policy.lists.count == 1)
    }

    @Test func `a list goes beside those of other authorities`() throws {
        let (old, new) = (try Lab(), try Lab())
        let host = try old.host("edge1")
        try host.write("ca.pem", old.authority.certificate.pem + new.authority.certificate.pem)
        let lists = try [old, new].map { try $0.authority.revocations(now: Lab.now) }
        try host.write("revoked", lists.flatMap(\.bytes))
        _ = try new.issue(.control, "desk")
        try new.authority.revoke(name: "desk", now: Lab.now)
        let list = try new.authority.revocations(now: Lab.now)
        let store = try TrustStore.load(from: host.path).installing(list)
        #expect(Set(store.policy.lists.values) == [lists[0], list])
    }
}
