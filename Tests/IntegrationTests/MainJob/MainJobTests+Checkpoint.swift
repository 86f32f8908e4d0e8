import GuestClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "Guests are saved while they run, go on, and are resumed from each of their checkpoints",
        arguments: LabManifest.releases
    )
    func checkpoint(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.load("pair", release)
            // A machine's disks are of the same instant, too: its guest writes the same to both.
            var second = spec.machines[0].disks[0]
            second.id = "disk1"
            spec.machines[0].disks.append(second)
            var pair = try await PairFlow(lab, spec)
            try await pair.savedWhileRunning(as: "c1", release)
            try await pair.savedWhileRunning(as: "c2", release)
            try await pair.survivesRestart()
            try await pair.jumps("suspended", as: "s3", .continue, rtc: .zero)
            try await pair.savedWhileRunning(as: "c4", release)
            for checkpoint in ["c2", "c1", "c4"] { try await pair.goesBack(to: checkpoint) }
        }
    }

    @Test("No byte of a serial link is lost or doubled by a checkpoint", arguments: LabManifest.releases)
    func checkpointOfSerialLink(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var pair = try await PairFlow(lab, LabManifest.load("serial-pair", release))
            try await pair.savedWhileRunning(as: "c1", release)
            try await pair.savedWhileRunning(as: "c2", release)
            try await pair.goesBack(to: "c1")
        }
    }
}
