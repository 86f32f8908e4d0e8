import Foundation
import GuestClock
import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// Wherever a time is in JSON it is an integer, and its key ends in `Ns`.
struct TimeKeyTests {
    /// Larger than anything that is no time.
    private static let mark: Int64 = 1_700_000_000_000_000_000

    private static let instant = HostInstant(nanosecondsSinceEpoch: mark + 1)
    private static let span = Span(nanoseconds: mark + 2)

    private static var manifest: CheckpointManifest {
        var manifest = CheckpointSetTests.manifest
        manifest.created = instant
        manifest.instant = instant
        manifest.spec.machines[0].rtc = RTCSpec(base: instant, clock: .vm)
        manifest.spec.resources = [ResourceSpec(name: "r", acquire: ["a"], release: ["b"], timeout: span)]
        manifest.spec.triggers = [TriggerSpec(.guest(span), .hook(["a"], timeout: span))]
        manifest.triggers = SavedTriggers(states: [TriggerState(.due, met: instant)], ran: span)
        manifest.machines = [.sample("a", stoppedAt: instant)]
        manifest.machines[0].launch.clock.processStart = instant
        manifest.machines[0].launch.clock.localUTCOffset = span
        manifest.machines[0].launch.clock.base = .instant(instant)
        return manifest
    }

    /// The keys of all numbers that must be times.
    private func keys(of value: Any, under key: String = "") -> [String] {
        switch value {
        case let object as [String: Any]: object.flatMap { keys(of: $0.value, under: $0.key) }
        case let list as [Any]: list.flatMap { keys(of: $0, under: key) }
        case let number as Int64 where number >= Self.mark: [key]
        default: []
        }
    }

    @Test func theKeysOfACheckpointSaySo() throws {
        let bytes = try JSONEncoder().encode(Self.manifest)
        let found = Set(keys(of: try JSONSerialization.jsonObject(with: bytes)))
        #expect(found.filter { !$0.hasSuffix("Ns") }.isEmpty, "\(found.sorted())")
        for key in [
            "createdNs", "instantNs", "stoppedAtNs", "timeoutNs", "baseNs", "processStartNs", "localUTCOffsetNs",
            "atNs", "guestNs", "metNs", "ranNs",
        ] { #expect(found.contains(key), "\(key)") }
        #expect(try JSONDecoder().decode(CheckpointManifest.self, from: bytes) == Self.manifest)
    }

    @Test func aBaseIsAWordOrAnInstant() throws {
        for (base, text) in [(RTCBase.utc, "\"utc\""), (.localtime, "\"localtime\""), (.instant(Self.instant), nil)] {
            let bytes = try JSONEncoder().encode(base)
            if let text { #expect(String(decoding: bytes, as: UTF8.self) == text) }
            #expect(try JSONDecoder().decode(RTCBase.self, from: bytes) == base)
        }
        for wrong in ["\"gmt\"", "5", "{}", "{\"atNs\": \"5\"}"] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(RTCBase.self, from: Data(wrong.utf8)) }
        }
    }
}
