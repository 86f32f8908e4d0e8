import SwiftASN1
import Testing
import Time
import X509

@testable import PKI

@Suite struct TrustPolicyTests {
    @Test(arguments: Role.allCases)
    func `a peer of the right authority, role and name is who it says`(_ role: Role) async throws {
        let lab = try Lab()
        let credentials = try lab.issue(role, "edge1")
        let policy = try lab.policy()
        let chain = try credentials.certificateChain()
        let peer = await policy.identify(chain: chain, expecting: role, name: "edge1", at: lab.now)
        #expect(peer == .success(credentials.identity))
        #expect(await policy.identify(chain: chain, expecting: role, at: lab.now).peer?.name == "edge1")
        // The authority's own certificate need not be sent.
        #expect(await policy.identify(chain: [chain[0]], expecting: role, at: lab.now).peer?.role == role)
    }

    @Test func `a hypervisor cannot command, and a control cannot pose as a hypervisor`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        for (role, other) in [(Role.control, Role.hypervisor), (.hypervisor, .control)] {
            let chain = try lab.issue(role, "edge1").certificateChain()
            let result = await policy.identify(chain: chain, expecting: other, name: "edge1", at: lab.now)
            #expect(result.reason == .wrongRole)
        }
    }

    @Test(arguments: ["edge2", "edge", "edge11", "EDGE1", "edge1 ", "", "fermata://hypervisor/edge1"])
    func `another name is refused`(_ name: String) async throws {
        let lab = try Lab()
        let chain = try lab.issue(.hypervisor, "edge1").certificateChain()
        let result = try await lab.policy().identify(chain: chain, expecting: .hypervisor, name: name, at: lab.now)
        #expect(result.reason == .wrongName)
    }

    @Test func `a name among the addresses is nobody's name`() async throws {
        let lab = try Lab()
        let credentials = try lab.authority.issue(role: .hypervisor, name: "edge1", addresses: ["edge2"], now: lab.now)
        let chain = try credentials.certificateChain()
        let result = try await lab.policy().identify(chain: chain, expecting: .hypervisor, name: "edge2", at: lab.now)
        #expect(result.reason == .wrongName)
    }

    @Test func `another authority is refused, also one of the same name`() async throws {
        let (lab, stranger) = (try Lab(), try Lab())
        let chain = try stranger.issue(.hypervisor, "edge1").certificateChain()
        let policy = try lab.policy()
        for sent in [chain, [chain[0]], [chain[0], lab.authority.certificate.der]] {
            #expect(await policy.identify(chain: sent, expecting: .hypervisor, at: lab.now).reason == .wrongAuthority)
        }
        #expect(
            try await stranger.policy().identify(chain: chain, expecting: .hypervisor, at: lab.now).peer?.name
                == "edge1"
        )
    }

    @Test func `a certificate that signed itself is refused`() async throws {
        let lab = try Lab()
        let der = try CraftedCertificate().selfSigned().der()
        let result = try await lab.policy().identify(chain: [der], expecting: .hypervisor, at: lab.now)
        #expect(result.reason == .wrongAuthority)
    }

    @Test func `an expired certificate is refused, to the second`() async throws {
        let lab = try Lab()
        let credentials = try lab.issue(.hypervisor, "edge1", validity: .seconds(100))
        let chain = try credentials.certificateChain()
        let policy = try lab.policy()
        let end = credentials.identity.expires
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: end).peer != nil)
        let later = end + .seconds(1)
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: later).reason == .expired)
        let muchLater = HostInstant(nanosecondsSinceEpoch: .max)
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: muchLater).reason == .expired)
    }

    @Test func `a certificate of later is refused, but clocks may differ by five minutes`() async throws {
        let lab = try Lab(now: Lab.now - Lab.day)
        let chain = try lab.issue(.hypervisor, "edge1").certificateChain()
        let policy = try lab.policy()
        let slow = lab.now - .seconds(299)
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: slow).peer != nil)
        let slower = lab.now - .seconds(302)
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: slower).reason == .notYetValid)
        let long = HostInstant(nanosecondsSinceEpoch: .min)
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: long).reason == .notYetValid)
    }

    @Test func `an authority that has expired vouches for nobody`() async throws {
        let lab = try Lab(validity: .seconds(1_000))
        let leaf = try lab.sign(CraftedCertificate(end: Lab.now + Lab.day))
        let policy = try lab.policy()
        let before = await policy.identify(chain: [try leaf.der()], expecting: .hypervisor, at: lab.now)
        #expect(before.peer?.name == "edge1")
        let later = lab.now + .seconds(1_001)
        let result = await policy.identify(chain: [try leaf.der()], expecting: .hypervisor, at: later)
        #expect(result.reason == .expired)
        guard case .failure(let refusal) = result else { return }
        #expect(refusal.message.contains("authority's certificate has expired"))
    }

    @Test func `a host's certificate cannot make others`() async throws {
        let lab = try Lab()
        let host = CraftedCertificate(subject: "host")
        let hostCertificate = try lab.sign(host)
        let forged = try CraftedCertificate().sign(by: hostCertificate, host.key)
        let chain = [try forged.der(), try hostCertificate.der(), lab.authority.certificate.der]
        let result = try await lab.policy().identify(chain: chain, expecting: .hypervisor, at: lab.now)
        #expect(result.reason == .wrongAuthority)
    }

    @Test func `there are no authorities below the authority`() async throws {
        let lab = try Lab()
        let middle = CraftedCertificate(isAuthority: true, subject: "middle")
        let middleCertificate = try lab.sign(middle)
        let leaf = try CraftedCertificate().sign(by: middleCertificate, middle.key)
        let policy = try lab.policy()
        let chain = [try leaf.der(), try middleCertificate.der(), lab.authority.certificate.der]
        #expect(await policy.identify(chain: chain, expecting: .hypervisor, at: lab.now).reason == .wrongAuthority)
        let alone = [try middleCertificate.der()]
        #expect(await policy.identify(chain: alone, expecting: .hypervisor, at: lab.now).reason == .malformed)
    }

    @Test func `the authority itself is no peer`() async throws {
        let lab = try Lab()
        let chain = [lab.authority.certificate.der]
        let result = try await lab.policy().identify(chain: chain, expecting: .control, at: lab.now)
        #expect(result.reason == .malformed)
    }

    @Test(
        arguments: [
            nil, [], ["edge1"], ["fermata://hypervisor/edge1", "fermata://control/edge1"],
            ["fermata://hypervisor/edge1", "fermata://hypervisor/edge1"],
            ["fermata://hypervisor/edge1", "https://edge1"],
            ["fermata://hypervisor/"], ["fermata://hypervisor/edge1/"], ["fermata://hypervisor//edge1"],
            ["fermata://Hypervisor/edge1"], ["FERMATA://hypervisor/edge1"], ["fermata://admin/edge1"],
            ["fermata://hypervisor/Edge1"], ["fermata:/hypervisor/edge1"], ["fermata://hypervisor/edge1?x"],
            ["fermata://hypervisor/edge1\0"], ["fermata://hypervisor"], ["fermata://"], [""],
            ["fermata://hypervisor/" + String(repeating: "a", count: 64)],
        ] as [[String]?]
    )
    func `without one identity, a certificate is nobody's`(_ uris: [String]?) async throws {
        let lab = try Lab()
        let names = uris.map { $0.map { GeneralName.uniformResourceIdentifier($0) } + [.dnsName("edge1")] }
        let der = try lab.sign(CraftedCertificate(names: names)).der()
        let result = try await lab.policy().identify(chain: [der], expecting: .hypervisor, at: lab.now)
        #expect(result.reason == .malformed)
    }

    @Test func `a certificate that is not for both ends of TLS is refused`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        for usages in [[], [.serverAuth], [.clientAuth], [.codeSigning, .emailProtection]] as [[ExtendedKeyUsage.Usage]]
        {
            let der = try lab.sign(CraftedCertificate(usages: usages)).der()
            #expect(await policy.identify(chain: [der], expecting: .hypervisor, at: lab.now).reason == .malformed)
        }
        let der = try lab.sign(CraftedCertificate()).der()
        #expect(await policy.identify(chain: [der], expecting: .hypervisor, at: lab.now).peer?.name == "edge1")
    }

    @Test func `a critical extension that nobody knows is refused, another one is not`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        for critical in [true, false] {
            let unknown = Certificate.Extension(oid: [1, 3, 6, 1, 4, 1, 99_999], critical: critical, value: [5, 0])
            let der = try lab.sign(CraftedCertificate(extra: [unknown])).der()
            let result = await policy.identify(chain: [der], expecting: .hypervisor, at: lab.now)
            #expect(result.reason == (critical ? .malformed : nil))
        }
    }

    @Test func `a revoked certificate is refused, a new one of the same name is not`() async throws {
        let lab = try Lab()
        let (old, new) = (try lab.issue(.hypervisor, "edge1"), try lab.issue(.hypervisor, "edge1"))
        let before = try lab.policy()
        try lab.authority.revoke(serial: old.identity.serial, now: lab.now)
        let after = try lab.policy()
        let (oldChain, newChain) = (try old.certificateChain(), try new.certificateChain())
        #expect(await before.identify(chain: oldChain, expecting: .hypervisor, at: lab.now).peer != nil)
        #expect(await after.identify(chain: oldChain, expecting: .hypervisor, at: lab.now).reason == .revoked)
        // Whatever else is wrong with it.
        #expect(await after.identify(chain: oldChain, expecting: .control, at: lab.now).reason == .revoked)
        #expect(await after.identify(chain: newChain, expecting: .hypervisor, at: lab.now).peer != nil)
    }

    @Test func `while one authority follows another, both are trusted, and each revokes its own`() async throws {
        let (old, new) = (try Lab(), try Lab())
        let (first, second) = (try old.issue(.hypervisor, "edge1"), try new.issue(.hypervisor, "edge2"))
        func policy() throws -> TrustPolicy {
            try TrustPolicy(
                authorities: [old.authority.certificate, new.authority.certificate],
                revocations: [try new.authority.revocations(now: Lab.now), try old.authority.revocations(now: Lab.now)]
            )
        }
        func reasons() async throws -> [PeerRefusal.Reason?] {
            let policy = try policy()
            var reasons: [PeerRefusal.Reason?] = []
            for one in [first, second] {
                let chain = try one.certificateChain()
                reasons.append(await policy.identify(chain: chain, expecting: .hypervisor, at: Lab.now).reason)
            }
            return reasons
        }
        #expect(try await reasons() == [nil, nil])
        try new.authority.revoke(name: "edge2", now: Lab.now)
        #expect(try await reasons() == [nil, .revoked])
        try old.authority.revoke(name: "edge1", now: Lab.now)
        #expect(try await reasons() == [.revoked, .revoked])
    }

    @Test func `no policy is without the list of each authority`() throws {
        let (lab, other) = (try Lab(), try Lab())
        let list = try lab.authority.revocations(now: lab.now)
        let otherList = try other.authority.revocations(now: lab.now)
        let authority = lab.authority.certificate
        for lists in [[], [otherList], [list, list]] {
            #expect(code { _ = try TrustPolicy(authorities: [authority], revocations: lists) } == .revocations)
        }
        #expect(
            code {
                _ = try TrustPolicy(authorities: [authority, other.authority.certificate], revocations: [list])
            } == .revocations
        )
        #expect(code { _ = try TrustPolicy(authorities: [], revocations: [list]) } == .missing)
        _ = try TrustPolicy(authorities: [authority], revocations: [otherList, list])
    }

    @Test func `no policy is with a forged list`() throws {
        let lab = try Lab()
        let list = try lab.authority.revocations(now: lab.now)
        let forged = RevocationList(
            authority: list.authority,
            sequence: 99,
            issued: list.issued,
            entries: [],
            signature: list.signature
        )
        #expect(
            code { _ = try TrustPolicy(authorities: [lab.authority.certificate], revocations: [forged]) }
                == .revocations
        )
    }

    @Test func `a host's certificate is nobody's authority`() throws {
        let lab = try Lab()
        let pem = try lab.issue(.hypervisor, "edge1").certificate.pem()
        #expect(code { _ = try AuthorityCertificate.all(inPEM: Array(pem.utf8), path: "ca.pem") } == .certificate)
        let selfSigned = try CraftedCertificate().selfSigned().pem()
        #expect(
            code { _ = try AuthorityCertificate.all(inPEM: Array(selfSigned.utf8), path: "ca.pem") } == .certificate
        )
        // Of an authority, but not signed by itself.
        let middle = try lab.sign(CraftedCertificate(isAuthority: true, subject: "middle")).pem()
        #expect(code { _ = try AuthorityCertificate.all(inPEM: Array(middle.utf8), path: "ca.pem") } == .certificate)
    }
}
