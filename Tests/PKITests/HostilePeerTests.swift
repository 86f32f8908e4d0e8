import SwiftASN1
import Testing
import X509

@testable import PKI

/// What a peer sends is anybody's bytes.
@Suite struct HostilePeerTests {
    @Test func `there is a limit to what is looked at`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        let chain = try lab.issue(.hypervisor, "edge1").certificateChain()
        let most = [[UInt8]](repeating: chain[0], count: 4)
        #expect(await policy.identify(chain: most, expecting: .hypervisor, at: lab.now).peer?.name == "edge1")
        for sent in [
            [], most + [chain[0]], [[]], [chain[0], [UInt8](repeating: 0, count: 16_385)], [chain[0] + [0]],
            [[UInt8](repeating: 0x30, count: 16_384)], [[UInt8](repeating: 0x30, count: 1 << 20)],
        ] {
            #expect(await policy.identify(chain: sent, expecting: .hypervisor, at: lab.now).reason == .malformed)
        }
    }

    @Test func `nothing that is nested thousands deep is followed down`() async throws {
        let lab = try Lab()
        var nested: [UInt8] = []
        while nested.count + 4 <= TrustPolicy.largestCertificate {
            nested.insert(
                contentsOf: [0x30, 0x82, UInt8(nested.count >> 8), UInt8(truncatingIfNeeded: nested.count)],
                at: 0
            )
        }
        let result = try await lab.policy().identify(chain: [nested], expecting: .control, at: lab.now)
        #expect(result.reason == .malformed)
        // As one of a certificate's extensions, signed.
        let deep = Certificate.Extension(
            oid: .X509ExtensionID.subjectAlternativeName,
            critical: false,
            value: nested.dropFirst(8_000)
        )
        let der = try lab.sign(CraftedCertificate(names: nil, extra: [deep])).der()
        #expect(try await lab.policy().identify(chain: [der], expecting: .control, at: lab.now).reason == .malformed)
    }

    @Test func `a certificate cut short is refused`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        let der = try lab.issue(.hypervisor, "edge1").certificateChain()[0]
        for length in 0..<der.count {
            let result = await policy.identify(chain: [Array(der[..<length])], expecting: .hypervisor, at: lab.now)
            #expect(result.reason == .malformed, "\(length) bytes")
        }
    }

    @Test func `no certificate with other bytes than were signed is taken`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        let der = try lab.issue(.hypervisor, "edge1").certificateChain()[0]
        var dice = Dice(seed: 2)
        var reasons: [PeerRefusal.Reason: Int] = [:]
        for round in 0..<6_000 {
            let mutated = dice.mutate(der)
            guard mutated != der else { continue }
            let result = await policy.identify(chain: [mutated], expecting: .hypervisor, at: lab.now)
            guard let reason = result.reason else {
                Issue.record("round \(round) was taken: \(Hex.text(mutated))")
                continue
            }
            reasons[reason, default: 0] += 1
        }
        // Both what cannot be parsed and what parses was among them.
        #expect(reasons[.malformed, default: 0] > 100)
        #expect(reasons[.wrongAuthority, default: 0] > 100)
    }

    @Test func `every bit of a certificate counts`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        let der = try lab.issue(.hypervisor, "edge1").certificateChain()[0]
        for index in der.indices {
            for bit in [0, 5, 7] {
                var mutated = der
                mutated[index] ^= 1 << bit
                let result = await policy.identify(chain: [mutated], expecting: .hypervisor, at: lab.now)
                #expect(result.reason != nil, "bit \(bit) of byte \(index)")
            }
        }
    }

    @Test func `a signature has no part of a byte`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        // Only where the last bit is 0 could it be left out: one certificate of two.
        let der = try #require(
            (0..<64).lazy.map { _ in try? lab.issue(.hypervisor, "edge1").certificateChain()[0] }
                .compactMap(\.self).first { $0.last.map { $0 & 1 == 0 } == true }
        )
        let unused = try #require(
            der.indices.dropFirst(2).dropLast(2).last { index in
                der[index - 2] == 3 && der[index] == 0 && der[index + 1] == 0x30
                    && Int(der[index + 2]) == der.count - index - 3
            }
        )
        var mutated = der
        mutated[unused] = 1
        #expect(await policy.identify(chain: [der], expecting: .hypervisor, at: lab.now).peer?.name == "edge1")
        #expect(await policy.identify(chain: [mutated], expecting: .hypervisor, at: lab.now).reason == .malformed)
    }

    @Test func `an authority that signs nonsense makes nobody`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        let names = try lab.issue(.hypervisor, "edge1").certificate.extensions
        let good = try #require(names.first { $0.oid == .X509ExtensionID.subjectAlternativeName })
        var dice = Dice(seed: 3)
        for _ in 0..<300 {
            let value = dice.mutate(Array(good.value))
            guard value != Array(good.value) else { continue }
            let nonsense = Certificate.Extension(oid: good.oid, critical: false, value: value[...])
            let der = try lab.sign(CraftedCertificate(names: nil, extra: [nonsense])).der()
            let result = await policy.identify(chain: [der], expecting: .hypervisor, name: "edge1", at: lab.now)
            // Only what still says the same, beside a host name that says something else.
            if let peer = result.peer { #expect(Self.says(peer, value)) }
        }
    }

    private static func says(_ peer: PeerIdentity, _ value: [UInt8]) -> Bool {
        String(decoding: value, as: UTF8.self).contains("fermata://hypervisor/edge1") && peer.name == "edge1"
    }

    @Test func `bytes of no meaning are refused`() async throws {
        let lab = try Lab()
        let policy = try lab.policy()
        var dice = Dice(seed: 4)
        for _ in 0..<2_000 {
            let length = Int.random(in: 0...600, using: &dice)
            var bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &dice) }
            // Half of them begin as certificates do.
            if length > 8, Bool.random(using: &dice) { bytes.replaceSubrange(0..<4, with: [0x30, 0x82, 1, 0x30]) }
            #expect(await policy.identify(chain: [bytes], expecting: .control, at: lab.now).reason == .malformed)
        }
    }
}
