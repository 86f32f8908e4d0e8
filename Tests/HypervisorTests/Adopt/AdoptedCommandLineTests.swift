import GuestClock
import HypervisorAPI
import QMP
import Testing
import Time

@testable import Hypervisor

@Suite("AdoptedCommandLine")
struct AdoptedCommandLineTests {
    private static let binary = "/usr/bin/qemu-system-x86_64"

    private func line(_ arguments: String...) throws -> AdoptedCommandLine {
        try #require(AdoptedCommandLine(arguments: [Self.binary] + arguments))
    }

    private func survey(_ disks: [MachineSurvey.Disk] = []) -> MachineSurvey {
        MachineSurvey(
            runState: .running,
            machineType: "pc-i440fx-7.2",
            version: [7, 2, 22],
            target: "x86_64",
            cpus: 1,
            memoryBytes: 128 << 20,
            accelerator: .tcg,
            disks: disks,
            networkDevices: [],
            blockers: []
        )
    }

    private func disk(_ file: String, format: String = "raw", readOnly: Bool = false) -> MachineSurvey.Disk {
        MachineSurvey.Disk(
            device: "",
            qdev: nil,
            nodeName: "#block1",
            file: file,
            format: format,
            readOnly: readOnly,
            backingFiles: []
        )
    }

    private func running(_ id: String) -> MachineRecord.RunningDisk {
        MachineRecord.RunningDisk(
            id: id,
            nodeName: "",
            path: "/run/over,lay.qcow2",
            format: "qcow2",
            readOnly: false,
            ownLayer: true,
            fileNodeName: ""
        )
    }

    private func relaunched(_ line: AdoptedCommandLine, disks: [MachineRecord.RunningDisk] = []) -> [String] {
        line.relaunched(
            pinnedMachineType: "pc-i440fx-7.2",
            disks: disks,
            rtcBase: .instant(HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_000)),
            rtcClock: .host,
            incoming: true
        )
    }

    @Test("what is read is written again")
    func roundTrip() throws {
        let arguments = [
            "-machine", "pc,accel=tcg", "--enable-kvm", "-snapshot", "-m", "128", "image.raw", "-append", "-a b,c",
            "-S",
        ]
        let line = try #require(AdoptedCommandLine(arguments: [Self.binary] + arguments))
        #expect(line.arguments == [Self.binary] + arguments.map { $0 == "--enable-kvm" ? "-enable-kvm" : $0 })
    }

    @Test("a line without a QEMU is none", arguments: [[], ["sleep", "1"], ["/usr/sbin/libvirtd", "-d"]])
    func foreign(_ arguments: [String]) { #expect(AdoptedCommandLine(arguments: arguments) == nil) }

    @Test("a cut line does not trip it")
    func cut() throws {
        let line = try line("-m")
        #expect(line.options == [.init(name: "m", value: nil)])
        #expect(relaunched(line).contains("-m"))
    }

    @Test("one that is started again waits for its stream, under our monitor, and not as a daemon")
    func relaunch() throws {
        let line = try line(
            "-machine",
            "type=pc,rtc=on",
            "-daemonize",
            "-pidfile",
            "/p",
            "-incoming",
            "tcp:0:1",
            "-loadvm",
            "x",
            "-display",
            "gtk",
            "-qmp",
            "unix:/run/q,server",
            "-serial",
            "unix:/run/s,server,nowait",
            "-rtc",
            "base=utc,driftfix=slew"
        )
        let new = relaunched(line)
        #expect(!new.contains { ["-daemonize", "-pidfile", "-loadvm", "gtk", "tcp:0:1"].contains($0) })
        #expect(new.contains("pc-i440fx-7.2,rtc=on"))
        #expect(new.count { $0 == "-incoming" } == 1)
        #expect(new.contains("unix:/run/q,server=on,wait=off"))
        #expect(new.contains("unix:/run/s,server=on,wait=off"))
        #expect(new.contains("base=2001-09-09T01:46:40,clock=host,driftfix=slew"))
        #expect(new.count { $0 == "-S" } == 1)
        #expect(new.contains("socket,id=fermata-monitor,fd=99,server=on,wait=off"))
        #expect(line.serialSockets == ["/run/s"])
    }

    @Test(
        "the type is pinned wherever it stands",
        arguments: [
            (["-M", "pc"], "pc-i440fx-7.2"), (["-machine", "q35,rtc=on"], "pc-i440fx-7.2,rtc=on"),
            ([], "pc-i440fx-7.2"),
            (["-machine", "accel=tcg"], "pc-i440fx-7.2"),
        ]
    )
    func pin(_ arguments: [String], _ expected: String) throws {
        let line = try #require(AdoptedCommandLine(arguments: [Self.binary] + arguments))
        #expect(relaunched(line).contains(expected))
    }

    @Test(
        "disks in every form are found, and replaced",
        arguments: [
            (["-hda", "/d"], "disk0", ["-drive", "file=/run/over,,lay.qcow2,format=qcow2,index=0,media=disk"]),
            (["/d"], "disk0", ["-drive", "file=/run/over,,lay.qcow2,format=qcow2,index=0,media=disk"]),
            (
                ["-drive", "file=/d,format=raw,if=virtio,id=x"], "x",
                ["-drive", "if=virtio,id=x,file=/run/over,,lay.qcow2,format=qcow2"]
            ),
            (
                ["-blockdev", "driver=file,filename=/d,node-name=f", "-blockdev", "driver=raw,node-name=d,file=f"], "d",
                [
                    "-blockdev", "driver=file,filename=/run/over,,lay.qcow2,node-name=f", "-blockdev",
                    "driver=qcow2,node-name=d,file=f",
                ]
            ),
            (
                ["-blockdev", #"{"driver":"raw","node-name":"d","file":{"driver":"file","filename":"/d"}}"#], "d",
                [
                    "-blockdev",
                    #"{"driver":"qcow2","node-name":"d","file":{"driver":"file","filename":"/run/over,lay.qcow2"}}"#,
                ]
            ),
            (
                ["-blockdev", "driver=file,filename=/d,node-name=d"], "d",
                ["-blockdev", "driver=qcow2,node-name=d,file.driver=file,file.filename=/run/over,,lay.qcow2"]
            ),
        ]
    )
    func disks(_ arguments: [String], _ id: String, _ expected: [String]) throws {
        let line = try #require(AdoptedCommandLine(arguments: [Self.binary] + arguments))
        #expect(line.disks.map(\.id) == [id])
        #expect(line.disks.map(\.file) == ["/d"])
        #expect(line.obstacles(survey([disk("/d")])) == [])
        let new = relaunched(line, disks: [running(id)])
        let options = Set(new.indices.dropLast().map { [new[$0], new[$0 + 1]] })
        for index in stride(from: 0, to: expected.count, by: 2) {
            #expect(options.contains([expected[index], expected[index + 1]]), "\(new)")
        }
    }

    @Test(
        "what cannot be started again says why",
        arguments: [
            (["-snapshot"], "adopted-snapshot"), (["-drive", "file=/d,snapshot=on"], "adopted-snapshot"),
            (["-add-fd", "fd=3,set=1"], "adopted-descriptor"), (["-netdev", "tap,id=n,fd=5"], "adopted-descriptor"),
            (["-netdev", "dgram,id=n,local.type=fd,local.str=5"], "adopted-descriptor"),
            (["-netdev", "stream,id=n,addr.type=fd,addr.str=5"], "adopted-descriptor"),
            (["-chardev", "socket,id=c,fd=7"], "adopted-descriptor"),
            (
                [
                    "-chardev",
                    #"{"backend":{"type":"socket","data":{"addr":{"type":"fd","data":{"str":"7"}}}},"id":"c"}"#,
                ], "adopted-descriptor"
            ),
            (["-blockdev", "driver=file,filename=/dev/fdset/1,node-name=d"], "adopted-descriptor"),
            (["-chroot", "/x"], "adopted-chroot"),
            (["-blockdev", "driver=qcow2,node-name=d,file=f,backing=b"], "adopted-disk"),
        ]
    )
    func obstacles(_ arguments: [String], _ code: String) throws {
        let line = try #require(AdoptedCommandLine(arguments: [Self.binary] + arguments))
        #expect(line.obstacles(survey()).map(\.code).contains(code))
    }

    @Test("a disk that was plugged in later, or is no file, is an obstacle")
    func unknownDisks() throws {
        let line = try line("-hda", "/d")
        #expect(line.obstacles(survey([disk("/d")])).isEmpty)
        #expect(line.obstacles(survey([disk("/other")])).map(\.code) == ["adopted-disk"])
        #expect(line.obstacles(survey([disk("nbd://host/x")])).map(\.code) == ["adopted-disk"])
        #expect(line.obstacles(survey([disk("/other", readOnly: true)])).isEmpty)
    }

    @Test("relative paths become absolute, and what is no path stays")
    func paths() throws {
        var line = try line(
            "-kernel",
            "k",
            "-drive",
            "if=virtio,file=d.img",
            "-hdb",
            "nbd:localhost:1",
            "-serial",
            "unix:s,server",
            "-serial",
            "tcp::4444,server",
            "-chardev",
            "socket,id=c,path=x/y",
            "-bios",
            "bios.bin",
            "-initrd",
            "/abs"
        )
        #expect(line.relativePaths == ["k", "d.img", "s", "x/y"])
        line.makePathsAbsolute(in: "/home/me")
        #expect(line.relativePaths == [])
        #expect(line.values("kernel") == ["/home/me/k"])
        #expect(line.values("drive") == ["if=virtio,file=/home/me/d.img"])
        #expect(line.values("hdb") == ["nbd:localhost:1"])
        #expect(line.values("serial") == ["unix:/home/me/s,server", "tcp::4444,server"])
        #expect(line.values("chardev") == ["socket,id=c,path=/home/me/x/y"])
        #expect(line.values("bios") == ["bios.bin"])
    }

    @Test(
        "options keep commas and order",
        arguments: ["a,b=c,d", "file=/x,,y,format=raw", "unix:/x,server", "", "a=,b=1"]
    )
    func optionValues(_ text: String) { #expect(OptionValue(text).text == text) }
}
