import ControlInstance
import Glibc
import GuestClock
import HostClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "Two guests with a session are suspended, gone, and go on by every policy, again and again",
        arguments: LabManifest.releases
    )
    func pair(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            try await pair.continues()
            try await pair.readsClocksLive()
            try await pair.survivesRestart()
            try await pair.jumps("offset", as: "s2", .offset(.seconds(3600)), rtc: .seconds(3600))
            try await pair.jumps("all", as: "s3", .offset(.seconds(30)), .all, rtc: .seconds(30), all: .seconds(30))
            try await pair.goesByTheHost()
            try await pair.isSetTo(HostInstant(nanosecondsSinceEpoch: 1_893_456_000_000_000_000))
            try await pair.startsFromTheSameState(times: 3)
            try await pair.resumesAnEditedCheckpoint()
        }
    }

    @Test("A session over a stream link lives on", arguments: LabManifest.releases)
    func streamLink(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.load("pair", release)
            spec.links[0].kind = .stream
            var pair = try await PairFlow(lab, spec)
            try await pair.continues()
        }
    }

    @Test("No byte of a serial link is lost or doubled", arguments: LabManifest.releases)
    func serialLink(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("serial-pair", release))
            try await pair.continues()
            try await pair.jumps("again", as: "s2", .continue, rtc: .zero)
        }
    }
}
