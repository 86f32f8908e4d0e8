import ControlInstance
import Glibc
import HostClock
import Hypervisor
import HypervisorAPI
import Synchronization
import Testing
import Time

extension MainJobTests {
    @Test("A handle is good once, as it was given out, and until it expires", arguments: LabManifest.releases)
    func handles(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release, name: "handles")
            let id = OperationID(text: "start-1")
            let handle = try await promised(lab, .start(StartOrder(operation: id, simulation: spec, instant: nil)))
            let instant = max(handle.earliest, .now) + .seconds(2)

            var forged = handle
            forged.token = String(handle.token.reversed())
            if forged.token == handle.token { forged.token = "0" + forged.token.dropFirst() + "1" }
            try await expectRefused(lab, forged, instant, "handle-unknown")
            var foreign = handle
            foreign.machines = ["other"]
            try await expectRefused(lab, foreign, instant, "handle-altered")
            var widened = handle
            widened.expires = handle.expires + .seconds(3600)
            try await expectRefused(lab, widened, instant, "handle-altered")

            try await lab.hypervisor.execute(handle, at: instant)
            try await expectRefused(lab, handle, instant, "handle-used")
            let report = try await lab.hypervisor.report(of: id)
            #expect(report.outcome == .done)
            try await lab.hypervisor.commit(id)
            try await expectRefused(lab, handle, instant, "handle-used")
            #expect(await lab.hypervisor.machines(of: "handles").map(\.state) == [.running])

            try await lab.hypervisor.end("handles")
            #expect(lab.processes().isEmpty)
        }
    }

    @Test("What an expired handle held is given back", arguments: LabManifest.releases)
    func expiredHandle(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release, name: "late")
            try #require(try await lab.up(spec).outcome == .done)
            let instant = HostInstant.now + .seconds(3)
            let order = SaveOrder(
                operation: OperationID(text: "suspend-1"),
                simulation: "late",
                machines: ["pc"],
                instant: instant,
                folder: lab.folder.file("late.checkpoint.partial"),
                finalFolder: lab.folder.file("late.checkpoint")
            )
            let handle = try await promised(lab, .suspend(order))
            while HostInstant.now < handle.expires + .milliseconds(500) {
                try await Task.sleep(for: .milliseconds(100))
            }
            try await expectRefused(lab, handle, instant, "handle-expired", "handle-withdrawn")
            #expect(await lab.hypervisor.machines(of: "late").map(\.state) == [.running])
            #expect(await lab.hypervisor.machines(of: "late").map(\.operation) == [nil])
            #expect(try Shell.output("ls '\(lab.folder.path)'").contains("late.checkpoint") == false)
            // Nothing holds the machine any more.
            #expect(try await lab.suspend("late").outcome == .done)
        }
    }

    @Test(
        "What a daemon had prepared when it died is given back by the next one, unasked",
        arguments: LabManifest.releases
    )
    func preparedBeforeRestart(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release, name: "forgotten")
            try #require(try await lab.up(spec).outcome == .done)
            let id = OperationID(text: "suspend-1")
            let folder = lab.folder.file("forgotten.checkpoint")
            let order = SaveOrder(
                operation: id,
                simulation: "forgotten",
                machines: ["pc"],
                instant: HostInstant.now + .seconds(3600),
                folder: folder + ".partial",
                finalFolder: folder
            )
            let handle = try await promised(lab, .suspend(order))
            // No control instance asks: only the hypervisor is another one.
            try await lab.restartHypervisor()
            try await waitUntilFree(lab, "forgotten")
            #expect(await lab.hypervisor.undecided() == [])
            #expect(access(folder + ".partial", F_OK) != 0)
            try await expectRefused(lab, handle, order.instant ?? .now, "handle-unknown")
            #expect(await lab.hypervisor.machines(of: "forgotten").map(\.state) == [.running])

            let start = try LabManifest.bare(release, name: "unborn")
            let second = OperationID(text: "start-2")
            _ = try await promised(lab, .start(StartOrder(operation: second, simulation: start, instant: nil)))
            #expect(lab.processes(of: "unborn").count == 1)
            try await lab.restartHypervisor()
            try await waitUntilFree(lab, "unborn")
            #expect(lab.processes(of: "unborn").isEmpty)
            #expect(await lab.hypervisor.undecided() == [])
        }
    }

    @Test(
        "A commit is not confirmed while a machine has not gone on, and lets it go on",
        arguments: LabManifest.releases.suffix(1)
    )
    func commitOfSome(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            var spec = try LabManifest.bare(release, name: "some")
            spec.machines.append(spec.machines[0])
            spec.machines[1].name = "slow"
            let id = OperationID(text: "start-1")
            let handle = try await promised(lab, .start(StartOrder(operation: id, simulation: spec, instant: nil)))
            let slow = try #require(lab.processes(of: "some/slow").first)
            let instant = max(handle.earliest, .now) + .seconds(1)
            try await lab.hypervisor.execute(handle, at: instant)
            kill(slow, SIGSTOP)
            defer { kill(slow, SIGCONT) }
            let report = try await lab.hypervisor.report(of: id)
            guard case .failed = report.outcome else { throw TestSupportError("\(report.outcome)") }

            await #expect(throws: HypervisorError.self) { try await lab.hypervisor.commit(id) }
            #expect(await lab.hypervisor.undecided().map(\.operation) == [id])
            kill(slow, SIGCONT)
            try await lab.hypervisor.commit(id)
            #expect(await lab.hypervisor.machines(of: "some").map(\.runState) == ["running", "running"])
            #expect(await lab.hypervisor.undecided() == [])
        }
    }

    /// A control instance that is started anew asks before it decides; a host that does not answer it counts as one that may run.
    @Test(
        "Whether what is armed has happened is told before its instant, and then it can be taken back",
        arguments: LabManifest.releases
    )
    func askedWhileArmed(_ release: QEMUUnderTest) async throws {
        try await Lab.with { lab in
            let spec = try LabManifest.bare(release, name: "distant")
            let id = OperationID(text: "start-1")
            let instant = HostInstant.now + .seconds(3600)
            let handle = try await promised(lab, .start(StartOrder(operation: id, simulation: spec, instant: instant)))
            try await lab.hypervisor.execute(handle, at: instant)

            let told = Mutex<[UndecidedOperation]?>(nil)
            let hypervisor = lab.hypervisor
            let asking = Task { [hypervisor] in
                let answer = await hypervisor.undecided()
                told.withLock { $0 = answer }
            }
            // Longer than that no control instance waits.
            let end = HostInstant.now + ControlOptions().answerTimeout
            while told.withLock({ $0 == nil }), HostInstant.now < end { try await Task.sleep(for: .milliseconds(20)) }
            #expect(told.withLock { $0?.map(\.operation) } == [id], "no answer in time")
            #expect(told.withLock { $0?.map(\.happened) } == [false])

            try await lab.hypervisor.rollback(id, continueAt: .now)
            await asking.value
            #expect(lab.processes().isEmpty)
            #expect(await lab.hypervisor.undecided() == [])
        }
    }

    private func waitUntilFree(_ lab: Lab, _ simulation: String) async throws {
        for _ in 0..<100 {
            if await lab.hypervisor.machines(of: simulation).allSatisfy({ $0.operation == nil }),
                await lab.hypervisor.undecided().isEmpty
            {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw TestSupportError("\(simulation) is still held after ten seconds")
    }

    private func promised(_ lab: Lab, _ order: Order) async throws -> Handle {
        switch await lab.hypervisor.prepare(order) {
        case .ready(let handle): return handle
        case .refused(let reasons): throw TestSupportError("\(reasons)")
        }
    }

    private func expectRefused(_ lab: Lab, _ handle: Handle, _ instant: HostInstant, _ codes: String...) async throws {
        let error = await #expect(throws: HypervisorError.self) {
            try await lab.hypervisor.execute(handle, at: instant)
        }
        #expect(error?.reasons.count == 1 && codes.contains(error?.reasons.first?.code ?? ""), "\(error as Any)")
    }
}
