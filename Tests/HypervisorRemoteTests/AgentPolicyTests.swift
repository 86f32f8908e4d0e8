import HypervisorAPI
import Testing

@testable import HypervisorRemote

struct AgentPolicyTests {
    private let policy = AgentPolicy(
        binaries: ["/usr/bin/", "/opt/qemu/bin/qemu-system-arm"],
        folders: ["/srv/labs", "/boot/"]
    )

    private func start(_ change: (inout MachineSpec) -> Void) -> Order {
        var machine = MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc")
        change(&machine)
        let simulation = SimulationSpec(name: "lab", machines: [machine])
        return .start(StartOrder(operation: OperationID(text: "op"), simulation: simulation, instant: nil))
    }

    @Test func whatIsAllowedIsLet() {
        #expect(policy.obstacles(to: start { _ in }) == [])
        let all = start {
            $0.qemu = "/opt/qemu/bin/qemu-system-arm"
            $0.kernel = "/boot/vmlinuz"
            $0.disks = [DiskSpec(id: "hd", file: "/srv/labs/a/disk.qcow2")]
        }
        #expect(policy.obstacles(to: all) == [])
    }

    @Test(arguments: [
        "/usr/bin/python3", "/usr/bin/sub/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64",
        "qemu-system-x86_64",
        "/usr/bin/../../tmp/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64/../../../tmp/evil",
        "/opt/qemu/bin/qemu-system-arm2", "",
    ])
    func anotherBinaryIsRefused(_ binary: String) {
        let reasons = policy.obstacles(to: start { $0.qemu = binary })
        #expect(reasons.map(\.code) == ["agent-forbids"] && reasons[0].machine == "bmc")
    }

    @Test(arguments: [
        "/etc/shadow", "/srv/labs", "/srv/labs2/disk", "/srv/labs/../../etc/shadow", "disk", "/srv/labs/./x", "/",
    ])
    func aFileElsewhereIsRefused(_ file: String) {
        let reasons = policy.obstacles(
            to: start {
                $0.firmware = file
                $0.initrd = file
                $0.disks = [DiskSpec(id: "hd", file: file)]
            }
        )
        #expect(reasons.map(\.code) == ["agent-forbids", "agent-forbids", "agent-forbids"])
    }

    @Test func whatRunsCommandsIsLetOnlyWhenItIsSaid() {
        let arguments = start { $0.arguments = ["-drive", "file=/etc/shadow"] }
        #expect(policy.obstacles(to: arguments).map(\.code) == ["agent-forbids"])
        let adopt = AdoptOrder(simulation: "lab", machine: "bmc", monitor: "unix:/run/qmp")
        #expect(policy.obstacles(to: adopt).map(\.code) == ["agent-forbids"])
        var simulation = SimulationSpec(name: "lab", machines: [])
        simulation.resources = [ResourceSpec(name: "vpn", acquire: ["/bin/sh"], release: ["/bin/sh"])]
        let resources = Order.start(
            StartOrder(operation: OperationID(text: "op"), simulation: simulation, instant: nil)
        )
        #expect(policy.obstacles(to: resources).map(\.code) == ["agent-forbids"])

        var open = policy
        open.allowsArguments = true
        open.allowsAdoption = true
        open.allowsResources = true
        #expect(
            open.obstacles(to: arguments) == [] && open.obstacles(to: adopt) == []
                && open.obstacles(to: resources) == []
        )
    }
}
