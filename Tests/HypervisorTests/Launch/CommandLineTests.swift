import GuestClock
import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite("CommandLine")
struct CommandLineTests {
    private func plan(_ spec: MachineSpec, pinned: String = "pc-i440fx-7.2", links: [LinkSpec] = []) -> LaunchPlan {
        LaunchPlan(
            simulation: "lab",
            spec: spec,
            facts: QEMUFacts(path: spec.qemu, version: [7, 2, 22], target: "x86_64", machines: [], sandbox: true),
            folder: "/run/lab/a",
            disks: [],
            attachments: LaunchPlan.attachments(of: spec.name, links: links),
            incoming: false,
            rtcBase: .instant(HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_000)),
            pinnedMachineType: pinned
        )
    }

    private func spec(_ name: String = "a") -> MachineSpec {
        MachineSpec(name: name, qemu: "/usr/bin/qemu-system-x86_64", machineType: "pc")
    }

    private func value(_ line: [String], _ option: String) -> String? {
        line.firstIndex(of: option).map { line[$0 + 1] }
    }

    @Test("every machine waits, has its type pinned, its clock explicit, a monitor and a sandbox")
    func always() {
        let line = CommandLine.build(plan(spec()))
        #expect(line[0] == "/usr/bin/qemu-system-x86_64")
        #expect(line.contains("-S"))
        #expect(line.contains("-nodefaults"))
        #expect(value(line, "-machine") == "pc-i440fx-7.2")
        #expect(value(line, "-rtc") == "base=2001-09-09T01:46:40,clock=vm")
        #expect(value(line, "-chardev") == "socket,id=fermata-monitor,fd=99,server=on,wait=off")
        #expect(value(line, "-mon") == "chardev=fermata-monitor,mode=control")
        #expect(value(line, "-sandbox")?.hasPrefix("on,") == true)
        #expect(!line.contains("-incoming"))
    }

    @Test("RAM in a file is the machine's memory; a view of it is opened for reading where QEMU can")
    func memory() {
        func line(_ version: [Int], shared: Bool, arguments: [String] = []) -> [String] {
            var spec = spec()
            spec.arguments = arguments
            var plan = plan(spec)
            plan.facts.version = version
            plan.memory = MachineRecord.Memory(id: "pc.ram", path: "/ram/a,b", bytes: 4096, shared: shared)
            return CommandLine.build(plan)
        }
        let object = "memory-backend-file,id=pc.ram,size=4096,mem-path=/ram/a,,b,share="
        let name = ",x-use-canonical-path-for-ramblock-id=off"
        for version in [[7, 2, 22], [10, 0, 2]] {
            let own = line(version, shared: true)
            #expect(value(own, "-object") == object + "on" + name)
            #expect(value(own, "-machine") == "pc-i440fx-7.2,memory-backend=pc.ram")
        }
        #expect(value(line([7, 2, 22], shared: false), "-object") == object + "off" + name)
        #expect(value(line([10, 0, 2], shared: false), "-object") == object + "off" + name + ",readonly=on,rom=off")
        #expect(
            value(line([10, 0, 2], shared: true, arguments: ["-mem-prealloc"]), "-object")?.hasSuffix(",prealloc=on")
                == true
        )
    }

    @Test("a resume waits for its stream")
    func incoming() {
        var plan = plan(spec())
        plan.incoming = true
        #expect(value(CommandLine.build(plan), "-incoming") == "defer")
    }

    @Test("the same plan gives the same line, and another simulation other addresses")
    func stable() {
        let link = LinkSpec(name: "wire", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "b")])
        let one = plan(spec(), links: [link])
        var other = one
        other.simulation = "lab2"
        #expect(CommandLine.build(one) == CommandLine.build(one))
        #expect(
            CommandLine.build(one).last { $0.contains("mac=") } != CommandLine.build(other).last { $0.contains("mac=") }
        )
        let wire = LinkSpec(name: "wire", kind: .dgram, ends: [LinkSpec.End(machine: "a"), LinkSpec.End(machine: "b")])
        let first = StableName.mac(of: wire, end: 0, in: "lab")
        // Of what was saved by earlier releases: guests know it.
        #expect(first == "52:54:2a:fd:6e:2c")
        #expect(first != StableName.mac(of: wire, end: 1, in: "lab"))
        #expect(first != StableName.mac(of: wire, end: 0, in: "other"))
        #expect(first.hasPrefix("52:54:"))
        #expect(first.utf8.count == 17)
    }

    @Test("a machine that is to be saved as it is stays when it panics, unless raw arguments say otherwise")
    func stays() {
        var spec = spec()
        #expect(!CommandLine.build(plan(spec)).contains("-action"))
        spec.stays = [.watchdog, .panic, .shutdown]
        #expect(value(CommandLine.build(plan(spec)), "-action") == "panic=none,watchdog=none")
        spec.arguments = ["-action", "panic=shutdown"]
        let line = CommandLine.build(plan(spec))
        #expect(line.filter { $0 == "-action" }.count == 1 && line.last == "panic=shutdown")
        spec.arguments = ["--watchdog-action", "reset"]
        #expect(!CommandLine.build(plan(spec)).contains("-action"))
    }

    @Test("raw arguments come last and win over what they replace")
    func raw() {
        var spec = spec()
        spec.arguments = ["-accel", "tcg,thread=single", "-sandbox", "off"]
        let line = CommandLine.build(plan(spec))
        #expect(Array(line.suffix(4)) == spec.arguments)
        #expect(line.count { $0 == "-accel" } == 1)
        #expect(line.count { $0 == "-sandbox" } == 1)
    }

    @Test("commas in paths and names are doubled")
    func commas() {
        var spec = spec("a,b")
        spec.firmware = "/x,y"
        var plan = plan(spec)
        plan.folder = "/run/lab/a,b"
        let line = CommandLine.build(plan)
        #expect(value(line, "-name") == "lab/a,,b")
        #expect(value(line, "-bios") == "/x,y")
        #expect(line.contains { $0.contains("path=/run/lab/a,,b/serial0.sock,") })
    }

    @Test(
        "links get NICs of the machine's family",
        arguments: [
            ("pc-i440fx-7.2", "virtio-net-pci"), ("pc-q35-10.0", "virtio-net-pci"), ("microvm", "virtio-net-device"),
            ("s390-ccw-virtio-7.2", "virtio-net-ccw"), ("virt-10.0", "virtio-net-pci"),
            ("pseries-7.2", "virtio-net-pci"),
            ("ast2600-evb", "nic"), ("SS-5", "nic"),
        ]
    )
    func nics(_ type: String, _ model: String) {
        let link = LinkSpec(name: "wire", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "b")])
        let line = CommandLine.build(plan(spec(), pinned: type, links: [link]))
        #expect(line.contains { $0.hasPrefix("\(model),netdev=link-wire,") })
        #expect(line.contains("dgram,id=link-wire,local.type=fd,local.str=100"))
    }

    @Test("serial ports keep their numbers: logs, nothing, links, and links without a port after them")
    func serials() {
        var spec = spec()
        spec.serials = [.none, .link("one"), .log]
        let links = ["one", "two"].map {
            LinkSpec(name: $0, kind: .serial, ends: [.init(machine: "a"), .init(machine: "b")])
        }
        let line = CommandLine.build(plan(spec, links: links))
        let ports = line.indices.filter { line[$0] == "-serial" }.map { line[$0 + 1] }
        #expect(ports == ["chardev:serial0", "chardev:serial1", "chardev:serial2", "chardev:serial3"])
        #expect(line.contains("null,id=serial0"))
        #expect(line.contains("socket,id=serial1,fd=100"))
        #expect(
            line.contains { $0.hasPrefix("socket,id=serial2,path=/run/lab/a/serial2.sock,server=on,wait=off,logfile=") }
        )
        #expect(line.contains("socket,id=serial3,fd=101"))
    }

    @Test("a link from a machine to itself has two descriptors and two ports")
    func loop() {
        var spec = spec()
        spec.serials = [.link("loop")]
        let link = LinkSpec(name: "loop", kind: .serial, ends: [.init(machine: "a"), .init(machine: "a")])
        let line = CommandLine.build(plan(spec, links: [link]))
        #expect(line.contains("socket,id=serial0,fd=100"))
        #expect(line.contains("socket,id=serial1,fd=101"))
    }

    @Test(
        "names that QEMU would cut or refuse become digests",
        arguments: [
            ("root", "disk-root"), (String(repeating: "x", count: 26), "disk-" + String(repeating: "x", count: 26)),
        ]
    )
    func plainNames(_ id: String, _ expected: String) {
        #expect(StableName.identifier("disk", id) == expected)
    }

    @Test("…", arguments: [String(repeating: "x", count: 27), "a b", "ä", "a,b"])
    func digestNames(_ id: String) {
        let name = StableName.identifier("disk", id)
        #expect(name.hasPrefix("disk-"))
        #expect(name.utf8.count == 21)
        #expect(name != StableName.identifier("disk", id + "x"))
    }

    @Test("a base with a fraction begins with its whole second")
    func fraction() {
        let base = LaunchPlan.rtcBase(for: RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_999_999_999), clock: .vm))
        #expect(base == .instant(HostInstant(nanosecondsSinceEpoch: 1_000_000_000)))
        #expect(LaunchPlan.rtcBase(for: RTCSpec(clock: .host)) == .utc)
    }
}
