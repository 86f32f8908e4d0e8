import GuestClock
import HypervisorAPI
import QMP
import Testing
import Time

@testable import Hypervisor

/// Machines that a test starts; none outlives ``end()``.
final class TestMachines {
    let scratch: ScratchFolder
    let qemu: QEMUUnderTest
    let probe = QEMUProbe()
    private var started: [MachineRecord] = []

    init(_ qemu: QEMUUnderTest) throws {
        self.qemu = qemu
        scratch = try ScratchFolder()
    }

    /// Runs a test and ends its machines, also when it fails.
    static func run(_ qemu: QEMUUnderTest, _ body: (TestMachines) async throws -> Void) async throws {
        let machines = try TestMachines(qemu)
        do {
            try await body(machines)
        } catch {
            await machines.end()
            throw error
        }
        await machines.end()
    }

    func spec(_ name: String, target: String = "x86_64", type: String = "pc") -> MachineSpec {
        var spec = MachineSpec(name: name, qemu: qemu.binary(target), machineType: type)
        spec.memoryBytes = 32 << 20
        return spec
    }

    func plan(_ spec: MachineSpec, links: [LinkSpec] = [], incoming: Bool = false) async throws -> LaunchPlan {
        let facts = try await probe.facts(of: spec.qemu)
        return LaunchPlan(
            simulation: "lab",
            spec: spec,
            facts: facts,
            folder: scratch.file(spec.name),
            disks: [],
            attachments: LaunchPlan.attachments(of: spec.name, links: links),
            incoming: incoming,
            rtcBase: LaunchPlan.rtcBase(for: spec.rtc),
            pinnedMachineType: try #require(facts.pinnedMachineType(spec.machineType))
        )
    }

    func launch(_ plan: LaunchPlan, pairs: [LinkPair] = []) async throws -> LaunchedMachine {
        let inherited = try LinkPair.inherited(by: plan.attachments, from: pairs)
        let machine = try await Launcher().launch(plan, inherited: inherited)
        started.append(machine.record)
        return machine
    }

    func launch(_ spec: MachineSpec) async throws -> LaunchedMachine { try await launch(plan(spec)) }

    func end() async {
        for record in started { try? await record.identity.terminate(grace: .zero) }
        started = []
    }
}
