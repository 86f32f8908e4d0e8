import ControlInstance
import HostClock
import Hypervisor
import HypervisorAPI
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
