import ControlInstance
import GuestClock
import HypervisorAPI
import Testing
import Time

extension MainJobTests {
    @Test(
        "A machine that was started without any -rtc goes by the host's clock; adopted, it reads on where it stopped",
        arguments: LabManifest.releases
    )
    func adoptDefaults(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let names = ["pc", "virt (arm)"].filter {
                release.binary(ClockBoard.with(named: $0) { _ in }.architecture) != nil
            }
            var machines: [BoardMachine] = []
            // Ended with the last reference, however the test ends.
            var processes: [SpawnedProcess] = []
            for (index, name) in names.enumerated() {
                let machine = BoardMachine(name: "m\(index)", board: .with(named: name) { _ in }, rtc: RTCSpec())
                processes.append(try await start(machine, release, lab))
                let status = try await lab.control.adopt(
                    AdoptRequest(
                        simulation: "mine",
                        machine: machine.name,
                        monitor: "unix:\(lab.folder.file("\(machine.name).qmp"))"
                    )
                )
                #expect(status.adopted && status.state == .running, "\(status)")
                #expect(
                    status.launch.clock.clock == .host && status.launch.clock.base == .utc,
                    "\(status.launch.clock)"
                )
                try machine.prepare(lab.folder)
                machines.append(machine)
            }
            let before = try machines.map { try $0.rtc(lab.folder) }

            let suspended = try await lab.suspend("mine")
            try #require(suspended.outcome == .done, "\(suspended.reasons)")
            #expect(lab.processes().isEmpty)
            try await Task.sleep(for: .seconds(2))
            let resumed = try await lab.resume("mine", nil, .continue)
            try #require(resumed.outcome == .done, "\(resumed.reasons)")

            let after = try machines.map { try $0.rtc(lab.folder) }
            for (index, machine) in machines.enumerated() {
                let jump = ReadingJump(
                    before: before[index],
                    after: after[index],
                    stoppedAt: try #require(suspended.machines.first { $0.name == machine.name }?.stoppedAt),
                    resumedAt: try #require(resumed.machines.first { $0.name == machine.name }?.resumedAt)
                )
                jump.expect("\(machine.board.name), adopted", .zero)
            }
            withExtendedLifetime(processes) {}
        }
    }

    private func start(_ machine: BoardMachine, _ release: QEMUUnderTest, _ lab: Lab) async throws -> SpawnedProcess {
        let spec = try machine.spec(release, lab.folder)
        let monitor = lab.folder.file("\(machine.name).qmp")
        let process = try await QtestSpawner.shared.spawn(
            [
                spec.qemu, "-M", spec.machineType, "-accel", "tcg", "-nodefaults", "-display", "none",
                "-qmp", "unix:\(monitor),server=on,wait=off",
            ] + spec.arguments,
            log: lab.folder.file("\(machine.name).log")
        )
        try await waitForSocket(monitor)
        return process
    }
}
