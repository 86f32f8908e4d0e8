import ControlInstance
import HypervisorAPI
import Logging
import Testing
import Time

@testable import Hypervisor

extension MainJobTests {
    @Test(
        "How quickly a machine follows is known to its later processes, and to a later daemon",
        arguments: LabManifest.releases
    )
    func leads(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release)
            let started = try await lab.up(spec, .in(.seconds(5)))
            try #require(started.outcome == .done, "\(started.reasons)")
            // Each process sees one stop; below three nothing is believed.
            for _ in 0..<3 {
                let suspended = try await lab.suspend(spec.name)
                try #require(suspended.outcome == .done, "\(suspended.reasons)")
                let resumed = try await lab.resume(spec.name)
                try #require(resumed.outcome == .done, "\(resumed.reasons)")
            }
            #expect(try await lab.restart().problems.isEmpty)
            let surroundings = try Surroundings(home: lab.folder.path, host: "test", logger: Logger(label: "test"))
            let records = surroundings.storedRecords()
            #expect(records.count == spec.machines.count)
            for record in records {
                let machine = LifetimeManager(record: record, surroundings: surroundings)
                for command in [InstantCommand.stop, .cont] {
                    let lead = await machine.lead(of: command)
                    #expect(lead > .zero && lead <= .milliseconds(5), "\(record.launch.spec.name) \(command): \(lead)")
                }
            }
            // And with it, it is still stopped.
            #expect(try await lab.suspend(spec.name).outcome == .done)
        }
    }
}
