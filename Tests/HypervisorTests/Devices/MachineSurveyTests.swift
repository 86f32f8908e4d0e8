import HypervisorAPI
import JSON
import QMP
import Testing

@testable import Hypervisor

@Suite("MachineSurvey")
struct MachineSurveyTests {
    @Test("a machine's parts are told as they are", arguments: QEMUUnderTest.all)
    func parts(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            _ = try await ShortCommand(
                arguments: ["qemu-img", "create", "-q", "-f", "qcow2", machines.scratch.file("base"), "1M"]
            ).runSuccessfully()
            var spec = machines.spec("a")
            spec.cpus = 2
            spec.disks = [DiskSpec(id: "root", file: machines.scratch.file("base"))]
            spec.arguments = ["-device", "e1000,mac=52:54:00:00:00:07,id=card"]
            let link = LinkSpec(name: "wire", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "b")])
            var plan = try await machines.plan(spec, links: [link])
            _ = try await ShortCommand(arguments: ["mkdir", plan.folder]).runSuccessfully()
            plan.disks = try await DiskLayers().makeDisks(for: spec.disks, in: plan.folder)
            let machine = try await machines.launch(plan, pairs: [LinkPair(link)])
            let survey = try await MachineSurvey.of(machine.monitor)
            #expect(survey.runState == .preLaunch)
            #expect(survey.machineType == machine.record.launch.pinnedMachineType)
            #expect(survey.version == plan.facts.version)
            #expect(survey.target == "x86_64")
            #expect(survey.cpus == 2)
            #expect(survey.memoryBytes == 32 << 20)
            #expect(survey.accelerator == .tcg)
            #expect(survey.blockers == [])
            #expect(survey.disks.map(\.nodeName) == ["disk-root"])
            #expect(survey.disks.map(\.file) == [plan.disks[0].path])
            #expect(survey.disks.map(\.format) == ["qcow2"])
            #expect(survey.disks.map(\.backingFiles) == [[machines.scratch.file("base")]])
            #expect(Set(survey.networkDevices.map(\.model)) == ["virtio-net-pci", "e1000"])
            #expect(survey.networkDevices.contains { $0.name == "card" && $0.mac == "52:54:00:00:00:07" })
        }
    }

    @Test("what cannot be saved is named", arguments: QEMUUnderTest.all)
    func blockers(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            var spec = machines.spec("a", type: "q35")
            spec.arguments = ["-device", "nvme,serial=1"]
            let survey = try await MachineSurvey.of(machines.launch(spec).monitor)
            #expect(survey.blockers.contains { $0.contains("nvme") })
        }
    }

    @Test(
        "a node's JSON name is followed to its file",
        arguments: [
            ("/plain", "/plain"), (#"json:{"driver":"qcow2","file":{"driver":"file","filename":"/x"}}"#, "/x"),
            (#"json:{"driver":"null-co"}"#, #"json:{"driver":"null-co"}"#), ("json:{", "json:{"),
        ]
    )
    func jsonNames(_ name: String, _ file: String) { #expect(MachineSurvey.Disk.file(name) == file) }
}
