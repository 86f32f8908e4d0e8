import Testing
import Time

@testable import GuestClock

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("Clock policy as text")
struct ClockPolicyTests {
    static let forms: [(String, ClockPolicy)] = [
        ("continue", .continue),
        ("host", .host),
        ("+90s", .offset(.seconds(90))),
        ("-5m", .offset(.seconds(-300))),
        ("+1h30m", .offset(.seconds(5_400))),
        ("at=2026-12-31T23:59:50Z", .at(HostInstant(nanosecondsSinceEpoch: 1_798_761_590_000_000_000))),
    ]

    @Test("The forms of the contract are read", arguments: forms)
    func reads(text: String, policy: ClockPolicy) throws {
        #expect(try ClockPolicy(text: text) == policy)
    }

    @Test("What is written is read back", arguments: forms)
    func roundTrip(text: String, policy: ClockPolicy) throws {
        #expect(try ClockPolicy(text: policy.description) == policy)
        let encoded = try JSONEncoder().encode([policy])
        #expect(try JSONDecoder().decode([ClockPolicy].self, from: encoded) == [policy])
    }

    @Test(
        "Anything else is refused in a sentence that shows it",
        arguments: ["", "90s", "+", "+90", "at=", "at=noon", "Continue", "offset", "+1s2h"]
    )
    func refuses(text: String) {
        let error = #expect(throws: ClockError.self) { try ClockPolicy(text: text) }
        #expect(error?.description.contains("'\(text)'") == true)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([ClockPolicy].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test("An offset of nothing has a sign like any other")
    func zero() throws {
        #expect(ClockPolicy.offset(.zero).description == "+0s")
        #expect(try ClockPolicy(text: "+0s") == .offset(.zero))
    }
}
