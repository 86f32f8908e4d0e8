import ControlInstance
import GuestClock
import HypervisorAPI
import Testing
import Time

/// The same as on the control instance's own host, with the machines on another one. With the newer QEMU only: what differs by release is
/// what happens on a host, and that is the same hypervisor; the faults of hosts are tested with both.
extension MainJobTests {
    @Test(
        "Over an agent, a session lives on by every policy, and a dead daemon changes nothing",
        arguments: LabManifest.releases.suffix(1)
    )
    func agentPair(_ release: QEMUUnderTest) async throws {
        try await Lab.with(hosts: .other) { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            try await pair.continues()
            try await pair.readsClocksLive()
            try await pair.survivesRestart()
            try await pair.jumps("offset", as: "s2", .offset(.seconds(3600)), rtc: .seconds(3600))
            try await pair.goesByTheHost()
            try await pair.startsFromTheSameState(times: 2)
            try await pair.resumesAnEditedCheckpoint()
        }
    }

    @Test("Over an agent, guests are saved while they run and go back", arguments: LabManifest.releases.suffix(1))
    func agentCheckpoint(_ release: QEMUUnderTest) async throws {
        try await Lab.with(hosts: .other) { lab in
            var pair = try await PairFlow(lab, LabManifest.load("pair", release))
            try await pair.savedWhileRunning(as: "c1", release)
            try await pair.savedWhileRunning(as: "c2", release)
            for checkpoint in ["c1", "c2"] { try await pair.goesBack(to: checkpoint) }
        }
    }

    @Test(
        "A session over a link between two hosts lives on, suspended and gone back to, and dead daemons change nothing",
        arguments: LabManifest.releases
    )
    func pairOfTwoHosts(_ release: QEMUUnderTest) async throws {
        try await Lab.with(hosts: .both) { lab in
            var spec = try LabManifest.load("pair", release)
            spec.machines[1].host = Lab.otherHost
            var pair = try await PairFlow(lab, spec)
            try await pair.continues()
            try await pair.survivesRestart()
            try await pair.jumps("offset", as: "s2", .offset(.seconds(3600)), rtc: .seconds(3600))
            let refusal = await #expect(throws: ControlError.self) { try await lab.checkpoint(spec.name, as: "c1") }
            #expect(refusal?.reasons.map(\.code) == ["link-between-hosts"])
            try await pair.goesBack(to: "s1")
        }
    }
}
