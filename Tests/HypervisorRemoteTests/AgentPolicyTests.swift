import GuestClock
import HypervisorAPI
import Testing
import Time

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
        #expect(policy.obstacles(to: start { _ in }, home: "/var/lib/agent") == [])
        let all = start {
            $0.qemu = "/opt/qemu/bin/qemu-system-arm"
            $0.kernel = "/boot/vmlinuz"
            $0.disks = [DiskSpec(id: "hd", file: "/srv/labs/a/disk.qcow2")]
        }
        #expect(policy.obstacles(to: all, home: "/var/lib/agent") == [])
    }

    @Test(arguments: [
        "/usr/bin/python3", "/usr/bin/sub/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64",
        "qemu-system-x86_64",
        "/usr/bin/../../tmp/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64/../../../tmp/evil",
        "/opt/qemu/bin/qemu-system-arm2", "",
    ])
    func anotherBinaryIsRefused(_ binary: String) {
        let reasons = policy.obstacles(to: start { $0.qemu = binary }, home: "/var/lib/agent")
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
            },
            home: "/var/lib/agent"
        )
        #expect(reasons.map(\.code) == ["agent-forbids", "agent-forbids", "agent-forbids"])
    }

    /// Of a resume the machines of its simulation count, too, and every file of the checkpoint.
    @Test func aResumeIsLookedAtAsAStartIs() {
        var evil = MachineSpec(name: "bmc", qemu: "/tmp/evil", machineType: "pc", arguments: ["-daemonize"])
        let simulation = SimulationSpec(name: "lab", machines: [evil])
        let resume = { (machines: [MachineCheckpoint]) in
            Order.resume(
                ResumeOrder(
                    operation: OperationID(text: "op"),
                    simulation: simulation,
                    machines: machines,
                    links: [],
                    instant: nil,
                    folder: "checkpoints/lab/s1",
                    policy: .continue,
                    scope: .rtc
                )
            )
        }
        #expect(policy.obstacles(to: resume([]), home: "/var/lib/agent").count == 2)
        evil.qemu = "/usr/bin/qemu-system-x86_64"
        evil.arguments = []
        for (path, isAllowed) in [
            ("machines/bmc/disk-hd.qcow2", true), ("machines/bmc/ram", false), ("machines/other/disk-hd.qcow2", false),
            ("machines/bmc/disk-hd.raw", false), ("links/lan.bmc.bin", false), ("../../secret", false),
            ("/etc/shadow", false), ("/srv/labs/disk", true),
            ("/var/lib/agent/checkpoints/lab/s0/machines/bmc/disk-hd.qcow2", true),
            ("/var/lib/agent/checkpoints/lab/s0/machines/bmc/ram", false),
            // Somebody has sent it, and nobody has looked at it: it may stand on any file.
            ("/var/lib/agent/checkpoints/lab/s0.partial.arriving/machines/bmc/disk-hd.qcow2", false),
            ("/var/lib/agent/checkpoints/lab/s0.partial/machines/bmc/disk-hd.qcow2", false),
            ("/var/lib/agent/checkpoints/a.b/s0/machines/bmc/disk-hd.qcow2", false),
            ("/var/lib/agent/checkpoints/lab/s0/machines/bmc/disk-hd.raw", false),
            ("/var/lib/agent/trust/agent.pem", false),
            ("/var/lib/agent/checkpoints/../trust/agent.pem", false), ("/srv/labs/a,/etc/shadow", false),
        ] {
            let stored = StoredCheckpoint(
                folder: "checkpoints/lab/s1",
                machines: [Self.saved(evil, disk: path)],
                links: []
            )
            #expect(policy.obstacles(to: stored, home: "/var/lib/agent").isEmpty == isAllowed, "\(path)")
        }
    }

    /// What came from another host: disks have other places than they were described with, and kernels lie with the checkpoint.
    @Test func whatCameAlongMayBeUsedAndNothingElse() {
        let home = "/var/lib/agent"
        let brought = "\(home)/checkpoints/lab/s1/machines/bmc/launch/0-vmlinuz"
        for (kernel, isAllowed) in [
            (brought, true), ("/boot/vmlinuz", true), ("/etc/shadow", false), ("\(brought)/x", false),
            ("\(home)/checkpoints/lab/s1/machines/bmc/ram", false), ("\(home)/trust/agent.pem", false),
            ("\(home)/checkpoints/lab/s1/machines/bmc/launch/../../../../../../trust/agent.pem", false),
        ] {
            var spec = MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "virt", kernel: kernel)
            spec.disks = [DiskSpec(id: "hd", file: "/home/somebody/disk.qcow2")]
            let saved = Self.saved(spec, disk: "machines/bmc/disk-hd.qcow2")
            let resume = { (machines: [MachineCheckpoint]) in
                Order.resume(
                    ResumeOrder(
                        operation: OperationID(text: "op"),
                        simulation: SimulationSpec(name: "lab", machines: [spec]),
                        machines: machines,
                        links: [],
                        instant: nil,
                        folder: "checkpoints/lab/s1",
                        policy: .continue,
                        scope: .rtc
                    )
                )
            }
            #expect(policy.obstacles(to: resume([saved]), home: home).isEmpty == isAllowed, "\(kernel)")
            let arrival = Arrival(
                simulation: SimulationSpec(name: "lab", machines: [spec]),
                machines: [saved],
                obstacles: [],
                notes: []
            )
            #expect(policy.obstacles(to: arrival, home: home).isEmpty == isAllowed, "\(kernel)")
            #expect(!policy.obstacles(to: resume([]), home: home).isEmpty, "a disk that is in no checkpoint is its own")
        }
    }

    @Test(arguments: [
        ("machines/bmc/launch/0-vmlinuz", true), ("machines/bmc/ram", false), ("machines/other/launch/0-k", false),
        ("machines/bmc/launch/", false), ("machines/bmc/launch/a/b", false), ("machines/bmc/launch/..", false),
        ("/etc/shadow", false),
    ])
    func aFileThatCameAlongHasItsPlace(_ path: String, _ isAllowed: Bool) {
        var saved = Self.saved(
            MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "virt"),
            disk: "machines/bmc/disk-hd.qcow2"
        )
        let file = CheckpointFile(role: .launch, path: path, bytes: 1, sha256: nil)
        saved.launchFiles = [LaunchFile(original: "/boot/vmlinuz", file: file)]
        let stored = StoredCheckpoint(folder: "checkpoints/lab/s1", machines: [saved], links: [])
        #expect(policy.obstacles(to: stored, home: "/var/lib/agent").isEmpty == isAllowed)
    }

    /// What a machine is started with leaves with it.
    @Test(arguments: [("/boot/vmlinuz", true), ("/etc/shadow", false), ("/var/lib/agent/trust/agent.pem", false)])
    func aDepartureTakesNoFileThatAMachineMayNotHave(_ kernel: String, _ isAllowed: Bool) {
        let spec = MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "virt", kernel: kernel)
        let stored = StoredCheckpoint(
            folder: "checkpoints/lab/s1",
            machines: [Self.saved(spec, disk: "machines/bmc/disk-hd.qcow2")],
            links: []
        )
        let order = DepartureOrder(checkpoint: stored, scratch: "exports/1", gathers: true)
        #expect(policy.obstacles(to: stored, home: "/var/lib/agent") == [])
        #expect(policy.obstacles(to: order, home: "/var/lib/agent").isEmpty == isAllowed)
    }

    @Test(arguments: [
        ["firmware": "/etc/shadow"], ["dumpdtb": "/tmp/x"], ["usb": "on,firmware=/etc/shadow"], ["usb": ""],
    ])
    func anOptionOfTheMachineThatNamesFilesIsRefused(_ options: [String: String]) {
        let order = start { $0.machineOptions = options }
        #expect(policy.obstacles(to: order, home: "/var/lib/agent").map(\.code) == ["agent-forbids"])
        let type = start { $0.machineType = "pc,firmware=/etc/shadow" }
        #expect(policy.obstacles(to: type, home: "/var/lib/agent").map(\.code) == ["agent-forbids"])
        #expect(policy.obstacles(to: start { $0.machineOptions = ["usb": "on"] }, home: "/var/lib/agent") == [])
    }

    @Test(arguments: ["e1000,romfile=/etc/shadow", "e1000 x", "", "-e1000"])
    func anOptionOfANetworkDeviceIsRefused(_ device: String) {
        var machine = MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "virt")
        machine.host = nil
        var simulation = SimulationSpec(name: "lab", machines: [machine])
        simulation.links = [
            LinkSpec(
                name: "lan",
                kind: .dgram,
                ends: [.init(machine: "bmc", device: device), .init(machine: "bmc", device: "e1000")]
            )
        ]
        let order = Order.start(StartOrder(operation: OperationID(text: "op"), simulation: simulation, instant: nil))
        #expect(policy.obstacles(to: order, home: "/var/lib/agent").map(\.code) == ["agent-forbids"])
    }

    private static func saved(_ spec: MachineSpec, disk: String) -> MachineCheckpoint {
        let file = { CheckpointFile(role: .disk, path: $0, bytes: 1, sha256: nil) }
        return MachineCheckpoint(
            name: spec.name,
            host: "far",
            launch: LaunchRecord(
                spec: spec,
                qemuVersion: [10, 0, 0],
                pinnedMachineType: "pc",
                clock: ClockSettings(
                    clock: .vm,
                    base: .utc,
                    accelerator: .tcg,
                    processStart: HostInstant(nanosecondsSinceEpoch: 0),
                    qemu: QEMURelease(major: 10, minor: 0)
                )
            ),
            ramWay: .stream,
            state: file("machines/bmc/state.qemu"),
            deviceStateOffset: 0,
            deviceStateSHA256: "",
            disks: [FrozenDisk(id: "hd", format: "qcow2", file: file(disk), backingFiles: [])],
            stoppedAt: HostInstant(nanosecondsSinceEpoch: 0),
            clock: ClockState(atNs: HostInstant(nanosecondsSinceEpoch: 0), readings: [])
        )
    }

    @Test func whatRunsCommandsIsLetOnlyWhenItIsSaid() {
        let arguments = start { $0.arguments = ["-drive", "file=/etc/shadow"] }
        #expect(policy.obstacles(to: arguments, home: "/var/lib/agent").map(\.code) == ["agent-forbids"])
        #expect(policy.obstacles(to: start { $0.stays = [.panic] }, home: "/var/lib/agent").isEmpty)
        let adopt = AdoptOrder(simulation: "lab", machine: "bmc", monitor: "unix:/run/qmp")
        #expect(policy.obstacles(to: adopt).map(\.code) == ["agent-forbids"])
        var simulation = SimulationSpec(name: "lab", machines: [])
        simulation.resources = [ResourceSpec(name: "vpn", acquire: ["/bin/sh"], release: ["/bin/sh"])]
        let resources = Order.start(
            StartOrder(operation: OperationID(text: "op"), simulation: simulation, instant: nil)
        )
        #expect(policy.obstacles(to: resources, home: "/var/lib/agent").map(\.code) == ["agent-forbids"])

        var open = policy
        open.allowsArguments = true
        open.allowsAdoption = true
        open.allowsResources = true
        #expect(
            open.obstacles(to: arguments, home: "/var/lib/agent") == [] && open.obstacles(to: adopt) == []
                && open.obstacles(to: resources, home: "/var/lib/agent") == []
        )
    }
}
