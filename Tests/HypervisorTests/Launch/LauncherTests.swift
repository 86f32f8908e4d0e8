import Glibc
import GuestClock
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

@testable import Hypervisor

@Suite("Launcher")
struct LauncherTests {
    @Test("a machine waits, paused, with its monitor answering and its record on disk", arguments: QEMUUnderTest.all)
    func launches(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            let machine = try await machines.launch(machines.spec("a"))
            let status = try await machine.monitor.execute(QMPCommand("query-status"))
            #expect(status["status"]?.stringValue == "prelaunch")
            #expect(machine.record.identity.isAlive)
            #expect(try MachineRecord.load(from: machine.record.folder) == machine.record)
            #expect(machine.record.launch.pinnedMachineType.hasPrefix("pc-i440fx-"))
            let type = try await machine.monitor.execute(
                QMPCommand("qom-get", arguments: ["path": "/machine", "property": "type"])
            )
            #expect(type.stringValue == machine.record.launch.pinnedMachineType + "-machine")
            // Its own session: it must not go with our terminal.
            #expect(getsid(machine.record.identity.pid) == machine.record.identity.pid)
        }
    }

    @Test("the RTC begins with the base that the record tells", arguments: QEMUUnderTest.all)
    func rtcBase(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            var spec = machines.spec("a")
            spec.rtc.base = try HostInstant(parsing: "2001-09-09T01:46:40Z")
            let machine = try await machines.launch(spec)
            #expect(
                machine.record.launch.clock.base
                    == .instant(HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000_000_000))
            )
            let time = try await machine.monitor.execute(
                QMPCommand("qom-get", arguments: ["path": "/machine", "property": "rtc-time"])
            )
            #expect(time["tm_year"]?.int64Value == 101)
            #expect(time["tm_hour"]?.int64Value == 1)
            #expect(time["tm_min"]?.int64Value == 46)
        }
    }

    @Test(
        "machines of every family start",
        arguments: QEMUUnderTest.all,
        [
            ("x86_64", "pc"), ("x86_64", "q35"), ("x86_64", "microvm"), ("aarch64", "virt"), ("riscv64", "virt"),
            ("s390x", "s390-ccw-virtio"), ("ppc64", "pseries"), ("arm", "ast2600-evb"), ("sparc", "SS-5"),
        ]
    )
    func families(_ qemu: QEMUUnderTest, _ family: (target: String, type: String)) async throws {
        guard access(qemu.binary(family.target), X_OK) == 0 else {
            print("skipped: \(family.target) on \(qemu.name); \(qemu.binary(family.target)) is not there")
            return
        }
        try await TestMachines.run(qemu) { machines in
            var spec = machines.spec("a", target: family.target, type: family.type)
            if family.type == "ast2600-evb" { spec.memoryBytes = nil }
            if family.type == "pseries" { spec.memoryBytes = 256 << 20 }
            if family.target == "riscv64" { spec.firmware = "none" }
            spec.serials = [.log, .none, .link("line")]
            if family.type == "microvm" || family.type == "virt" || family.type == "s390-ccw-virtio" {
                spec.serials = [.log]
            }
            if family.type == "SS-5" { spec.serials = [.none, .link("line")] }
            let links = [
                LinkSpec(name: "wire", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "b")]),
                LinkSpec(name: "line", kind: .serial, ends: [.init(machine: "a"), .init(machine: "b")]),
            ].filter { link in link.kind == .dgram || spec.serials.contains(.link(link.name)) }
            let pairs = try links.map { link in try LinkPair(link) }
            let machine = try await machines.launch(machines.plan(spec, links: links), pairs: pairs)
            let status = try await machine.monitor.execute(QMPCommand("query-status"))
            #expect(status["status"]?.stringValue == "prelaunch")
            #expect(machine.record.links.map(\.link) == links.map(\.name))
        }
    }

    @Test("a QEMU that refuses its arguments is reported with its own words", arguments: QEMUUnderTest.all)
    func refused(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            var spec = machines.spec("a")
            spec.arguments = ["-device", "no-such-device"]
            let error = await #expect(throws: HypervisorError.self) { try await machines.launch(spec) }
            #expect(error?.description.contains("no-such-device") == true)
            #expect(error?.reasons.first?.code == "launch-failed")
            #expect(error?.reasons.first?.machine == "a")
        }
    }

    @Test("a folder that is too deep for sockets is refused with the way out")
    func deepFolder() async throws {
        try await TestMachines.run(QEMUUnderTest.all[0]) { machines in
            var plan = try await machines.plan(machines.spec("a"))
            plan.folder = machines.scratch.file(String(repeating: "d", count: 100))
            let error = await #expect(throws: HypervisorError.self) { try await machines.launch(plan) }
            #expect(error?.reasons.map(\.code) == ["path-too-long"])
            #expect(error?.description.contains("FERMATA_HOME") == true)
            #expect(machines.scratch.names.isEmpty)
        }
    }

    @Test("a missing binary is reported by the probe")
    func missing() async {
        let error = await #expect(throws: HypervisorError.self) {
            try await QEMUProbe().facts(of: "/nowhere/qemu-system-x")
        }
        #expect(error?.reasons.map(\.code) == ["qemu-missing"])
    }

    @Test("the monitor takes a new client when the old one is gone", arguments: QEMUUnderTest.all)
    func reconnects(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            let machine = try await machines.launch(machines.spec("a"))
            await machine.monitor.close()
            let again = try await QMPConnection.connect(to: QMPAddress(parsing: machine.record.monitor))
            #expect(try await again.execute(QMPCommand("query-status"))["status"]?.stringValue == "prelaunch")
        }
    }
}
