import FoundationEssentials
import GuestClock
import HypervisorAPI
import Manifest
import Testing
import Time

struct ManifestTests {
    static let whole = """
        simulation: pair
        clock: +90s
        machines:
          server:
            arch: x86_64
            machine: {type: q35, rtc: on}
            memory: 128M
            cpus: 2
            cpu: max
            accel: kvm
            firmware: bios.bin
            kernel: ./vmlinuz
            initrd: sub/../initrd.img
            append: console=ttyS0 quiet
            disks:
              - {file: base.qcow2, id: root, interface: ide, format: qcow2, readonly: true}
              - file: base.qcow2
            rtc: {base: 2024-02-29T12:00:00Z, clock: host}
            serial: [none, wire]
            ram: mapped
            host: left
            args: [-device, virtio-rng-pci, -name, 5]
          client:
            qemu: bin/qemu-system-aarch64
            machine: virt
        links:
          - {name: lan, kind: stream, between: [server, {machine: client, device: e1000, mac: "52:54:00:AB:cd:ef"}]}
          - {name: wire, kind: serial, between: [server, client]}
          - {name: spare, between: [client, server]}
        resources:
          vpn: {acquire: [./up.sh, 5s], release: [down], check: [test, -e, x], timeout: 2s}
        """

    @Test func everyKeyArrivesInTheSpecification() throws {
        let lab = try Lab()
        let spec = try lab.parse(Self.whole)
        let server = MachineSpec(
            name: "server",
            // It is for another host, whose QEMU is where QEMU usually is.
            qemu: "/usr/bin/qemu-system-x86_64",
            machineType: "q35",
            machineOptions: ["rtc": "on"],
            memoryBytes: 128 << 20,
            cpus: 2,
            cpuModel: "max",
            accelerator: .kvm,
            firmware: "\(lab.folder)/bios.bin",
            kernel: "\(lab.folder)/vmlinuz",
            initrd: "\(lab.folder)/initrd.img",
            append: "console=ttyS0 quiet",
            disks: [
                DiskSpec(
                    id: "root",
                    file: "\(lab.folder)/base.qcow2",
                    format: "qcow2",
                    interface: .ide,
                    readOnly: true
                ),
                DiskSpec(id: "disk1", file: "\(lab.folder)/base.qcow2"),
            ],
            serials: [.none, .link("wire")],
            rtc: RTCSpec(base: HostInstant(nanosecondsSinceEpoch: 1_709_208_000_000_000_000), clock: .host),
            arguments: ["-device", "virtio-rng-pci", "-name", "5"],
            ramWay: .mapped,
            host: "left"
        )
        let client = MachineSpec(
            name: "client",
            qemu: "\(lab.folder)/bin/qemu-system-aarch64",
            machineType: "virt",
            serials: [.log, .link("wire")]
        )
        #expect(spec.name == "pair")
        #expect(spec.clock == .offset(.seconds(90)))
        #expect(spec.machines == [server, client])
        #expect(
            spec.links == [
                LinkSpec(
                    name: "lan",
                    kind: .stream,
                    ends: [
                        .init(machine: "server"), .init(machine: "client", device: "e1000", mac: "52:54:00:ab:cd:ef"),
                    ]
                ),
                LinkSpec(name: "wire", kind: .serial, ends: [.init(machine: "server"), .init(machine: "client")]),
                LinkSpec(name: "spare", kind: .dgram, ends: [.init(machine: "client"), .init(machine: "server")]),
            ]
        )
        #expect(
            spec.resources == [
                ResourceSpec(
                    name: "vpn",
                    acquire: ["\(lab.folder)/up.sh", "5s"],
                    release: ["down"],
                    check: ["test", "-e", "x"],
                    timeout: .seconds(2)
                )
            ]
        )
    }

    @Test func aMachineNeedsNoMoreThanAnArchitectureAndAType() throws {
        let lab = try Lab()
        let spec = try lab.parse("{simulation: a, machines: {m: {arch: x86_64, machine: pc}}}")
        #expect(spec.clock == .continue)
        #expect(
            spec.machines == [MachineSpec(name: "m", qemu: "\(lab.folder)/bin/qemu-system-x86_64", machineType: "pc")]
        )
    }

    @Test func variablesAreExpandedInEveryString() throws {
        let lab = try Lab()
        lab.environment["NAME"] = "pair"
        lab.environment["EMPTY"] = ""
        let spec = try lab.parse(
            """
            simulation: ${NAME}
            machines:
              m:
                arch: ${ARCH:-x86_64}
                machine: ${EMPTY:-pc}
                cpus: ${CPUS:-4}
                kernel: vmlinuz
                append: "a=$b c=$${d} ${EMPTY}$"
            """
        )
        #expect(spec.name == "pair")
        #expect(spec.machines[0].machineType == "pc")
        #expect(spec.machines[0].cpus == 4)
        #expect(spec.machines[0].append == "a=$b c=${d} $")
    }

    @Test(arguments: [("4096", 4096), ("64K", 64 << 10), ("128M", 128 << 20), ("2G", 2 << 30), ("1T", 1 << 40)])
    func sizesAreInPowersOf1024(_ text: String, _ bytes: UInt64) throws {
        let lab = try Lab()
        let spec = try lab.parse("{simulation: a, machines: {m: {arch: x86_64, machine: pc, memory: \(text)}}}")
        #expect(spec.machines[0].memoryBytes == bytes)
    }

    @Test func aQuotaIsASizeOfWholeDisks() throws {
        let lab = try Lab()
        let spec = try lab.parse("{simulation: a, quota: 20G, machines: {m: {arch: x86_64, machine: pc}}}")
        #expect(spec.quotaBytes == 20 << 30)
    }

    @Test func howFarClocksMayBeApartIsADuration() throws {
        let lab = try Lab()
        let spec = try lab.parse("{simulation: a, clock-error: 20ms, machines: {m: {arch: x86_64, machine: pc}}}")
        #expect(spec.clockErrorLimit == .milliseconds(20))
    }

    @Test func anchorsAndAliasesWork() throws {
        let lab = try Lab()
        let spec = try lab.parse(
            """
            simulation: a
            machines:
              one: &base {arch: x86_64, machine: pc}
              two: *base
            """
        )
        #expect(spec.machines.map(\.name) == ["one", "two"])
        #expect(spec.machines.map(\.machineType) == ["pc", "pc"])
    }

    @Test func aFileIsReadAndItsFolderIsWherePathsBegin() throws {
        let lab = try Lab()
        let path = "\(lab.folder)/lab.yaml"
        try Data(Self.whole.utf8).write(to: URL(filePath: path))
        let spec = try Manifest.load(path: path, environment: lab.environment)
        #expect(spec.machines[0].kernel == "\(lab.folder)/vmlinuz")
    }

    @Test func aFileThatIsNotThereOrNotTextIsRefused() throws {
        let lab = try Lab()
        #expect(throws: ManifestError.self) {
            try Manifest.load(path: "\(lab.folder)/none.yaml", environment: [:])
        }
        let path = "\(lab.folder)/binary.yaml"
        try Data([0x73, 0xff, 0xfe]).write(to: URL(filePath: path))
        let error = #expect(throws: ManifestError.self) { try Manifest.load(path: path, environment: [:]) }
        #expect(error?.description == "\(path):1:1: the file is not UTF-8 text")
    }

    @Test func filesNeedNotBeThereWhenTheyAreNotChecked() throws {
        let lab = try Lab(files: [])
        let spec = try Manifest.parse(
            text: "{simulation: a, machines: {m: {qemu: /none/qemu, machine: pc, kernel: vmlinuz}}}",
            file: "lab.yaml",
            folder: lab.folder,
            environment: [:],
            checkingFiles: false
        )
        #expect(spec.machines[0].qemu == "/none/qemu")
        #expect(spec.machines[0].kernel == "\(lab.folder)/vmlinuz")
    }
}
