import Glibc
import JSON
import QMP
import Testing
import Time

/// Every typed command against a real machine.
@Suite(.serialized) struct CommandsRealTests {
    private static let devices = [
        "-accel", "tcg", "-m", "16", "-name", "one", "-uuid", "11111111-2222-3333-4444-555555555555", "-device",
        "virtio-net-pci,id=card", "-blockdev", "null-co,node-name=zeros,size=1048576", "-device",
        "virtio-blk-pci,drive=zeros,id=disk", "-chardev", "null,id=sink", "-rtc", "base=2031-02-03T04:05:06,clock=vm",
    ]

    @Test(arguments: QEMUBinary.all)
    func `who the machine is`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: Self.devices)
        let connection = try await qemu.connect()
        #expect(try await connection.queryName() == "one")
        #expect(try await connection.queryUUID() == "11111111-2222-3333-4444-555555555555")
        #expect(try await connection.machineType() == "pc-i440fx-\(binary.release)")
        #expect(try await connection.queryKVM().isEnabled == false)
        let cpus = try await connection.queryCPUs()
        #expect(cpus.map(\.index) == [0])
        #expect(cpus[0].target == "x86_64")
        #expect(access("/proc/\(qemu.process.pid)/task/\(cpus[0].threadID)", F_OK) == 0)
        let machines = try await connection.queryMachines()
        #expect(machines.first { $0.alias == "pc" }?.name == "pc-i440fx-\(binary.release)")
        #expect(machines.filter(\.isDefault).count == 1)
    }

    @Test(arguments: QEMUBinary.all)
    func `what it is made of`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: Self.devices)
        let connection = try await qemu.connect()
        let disk = try #require(try await connection.queryBlock().first)
        #expect(disk.qdev?.contains("disk") == true)
        #expect(disk.inserted?.nodeName == "zeros")
        #expect(disk.inserted?.driver == "null-co")
        #expect(disk.inserted?.virtualSize == 1 << 20)
        #expect((disk.inserted?.isActive != nil) == (binary.release == "10.0"))
        #expect(try await connection.queryNamedBlockNodes().map(\.nodeName) == ["zeros"])
        #expect(try await connection.queryChardev().contains { $0.label == "sink" && $0.filename == "null" })
        #expect(try await connection.queryRXFilter().map(\.name) == ["card"])
        #expect(try await connection.queryRXFilter(name: "card").first?.mac.hasPrefix("52:54:00") == true)
        #expect(await failure { try await connection.queryRXFilter(name: "none") } != nil)
        #expect(try await connection.queryPCI()[0]?["devices"]?.arrayValue?.isEmpty == false)
        let children = try await connection.qomList("/machine/peripheral")
        #expect(Set(children.filter { $0.childType != nil }.map(\.name)).isSuperset(of: ["card", "disk"]))
        #expect(try await connection.qomGet("/machine/peripheral/card", "type") == "virtio-net-pci")
        #expect(await failure { try await connection.qomList("/none") }?.errorClass == "DeviceNotFound")
        #expect(await failure { try await connection.qomGet("/machine", "none") }?.errorClass == "GenericError")
    }

    @Test(arguments: QEMUBinary.all)
    func `what it can do`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary)
        let connection = try await qemu.connect()
        let commands = try await connection.queryCommands()
        #expect(commands.isSuperset(of: ["stop", "cont", "migrate", "getfd"]))
        let rtc = try await connection.queryCommandLineOptions().first { $0.name == "rtc" }
        #expect(Set(rtc?.parameters ?? []) == ["base", "clock", "driftfix"])
        #expect(try await connection.queryQMPSchema().arrayValue?.count ?? 0 > 500)
        #expect(try await connection.humanMonitor("info version").hasPrefix(binary.release))
        let error = await failure { try await connection.execute(QMPCommand("query-nothing")) }
        #expect(error?.isCommandNotFound == true)
        #expect(error?.description.contains("'query-nothing'") == true)
        // Came with 8.2 or later.
        let mode = await failure { try await connection.setMigrateParameters(["mode": "normal"]) }
        #expect((mode == nil) == (binary.release == "10.0"), "\(String(describing: mode))")
        #expect(try await connection.queryYank().count == 1)
        let nobody: JSONValue = ["type": "chardev", "id": "nobody"]
        #expect(await failure { try await connection.yank([nobody]) }?.errorClass == "DeviceNotFound")
        try await connection.announceSelf(rounds: 1)
    }

    @Test(arguments: QEMUBinary.all)
    func `its real-time clock, in seconds; a machine without the property says so`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: Self.devices)
        let connection = try await qemu.connect()
        // 2031-02-03T04:05:06Z, and the machine has not run.
        #expect(try await connection.rtcTime().nanosecondsSinceEpoch == 1_927_857_906_000_000_000)
        let none = try await QEMU(binary)
        let bare = try await none.connect()
        #expect(await failure { try await bare.rtcTime() }?.errorClass == "GenericError")
    }

    @Test(arguments: QEMUBinary.all)
    func `a save through a descriptor, with its events, and a load`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc", extra: Self.devices)
        let connection = try await qemu.connect()
        #expect(try await connection.queryMigrate().status == MigrationStatus.none)
        #expect(try await connection.queryMigrateCapabilities()["events"] == false)
        try await connection.setMigrateCapabilities(["events": true])
        #expect(try await connection.queryMigrateCapabilities()["events"] == true)
        try await connection.setMigrateParameters(["max-bandwidth": 0, "announce-rounds": 0])
        #expect(try await connection.queryMigrateParameters()["announce-rounds"] == 0)

        let path = qemu.folder.file("state")
        let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        defer { close(file) }
        let events = connection.events()
        try await connection.getfd(name: "state", descriptor: file)
        try await connection.migrate(uri: "fd:state")
        let end = await events.first(within: .seconds(120)) { $0.migrationStatus?.isUnderWay == false }
        #expect(end?.migrationStatus == .completed)
        let info = try await connection.queryMigrate()
        #expect(info.status == .completed)
        #expect(info.ram?.total ?? 0 >= 16 << 20)
        #expect(info.totalTime != nil)
        try await connection.migrateCancel()
        try await connection.xenSaveDevicesState(filename: qemu.folder.file("devices"), live: false)
        var status = stat()
        #expect(stat(qemu.folder.file("devices"), &status) == 0 && status.st_size > 1_000)

        #expect(lseek(file, 0, SEEK_SET) == 0)
        let other = try await QEMU(binary, machine: "pc", extra: Self.devices + ["-incoming", "defer"])
        let target = try await other.connect()
        try await target.setMigrateCapabilities(["events": true])
        let loading = target.events()
        try await target.getfd(name: "state", descriptor: file)
        try await target.migrateIncoming(uri: "fd:state")
        let loaded = await loading.first(within: .seconds(120)) { $0.migrationStatus?.isUnderWay == false }
        #expect(loaded?.migrationStatus == .completed)
        #expect(await failure { try await target.migrateIncoming(uri: "fd:state") } != nil)
    }

    @Test(arguments: QEMUBinary.all)
    func `a machine that cannot be saved gives its reasons before anybody tries`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(
            binary,
            machine: "pc",
            extra: Self.devices + ["-blockdev", "null-co,node-name=n", "-device", "nvme,drive=n,serial=1"]
        )
        let connection = try await qemu.connect()
        let info = try await connection.queryMigrate()
        #expect(info.blockedReasons.count == 1)
        #expect(info.blockedReasons.first?.contains("nvme") == true)
        let error = await failure { try await connection.migrate(uri: "unix:/nowhere") }
        #expect(error?.command == "migrate")
    }

    @Test(arguments: QEMUBinary.all)
    func `overlays are put over all disks at once, or over none`(binary: QEMUBinary) async throws {
        let qemu = try await QEMU(binary, machine: "pc")
        let connection = try await qemu.connect()
        func create(_ name: String) async throws -> String {
            let path = qemu.folder.file(name)
            try TestProcess("/usr/bin/qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"]).wait()
            return path
        }
        func add(_ name: String, overlay: Bool) async throws {
            var options: JSONObject = [
                "driver": "qcow2", "node-name": .string(name),
                "file": ["driver": "file", "filename": .string(try await create(name))],
            ]
            if overlay { options["backing"] = .null }
            try await connection.blockdevAdd(options)
        }
        for name in ["a", "b"] {
            try await add(name, overlay: false)
            try await add("over-\(name)", overlay: true)
        }
        let wrong = [DiskOverlay(node: "a", overlay: "over-a"), DiskOverlay(node: "none", overlay: "over-b")]
        #expect(await failure { try await connection.snapshot(wrong) }?.command == "transaction")
        func depth(_ name: String) async throws -> Int64? {
            try await connection.queryNamedBlockNodes().first { $0.nodeName == name }?.backingDepth
        }
        #expect(try await depth("over-a") == 0)
        let overlays = ["a", "b"].map { DiskOverlay(node: $0, overlay: "over-\($0)") }
        try await connection.snapshot(overlays)
        #expect(try await depth("over-a") == 1)
        #expect(try await depth("over-b") == 1)
        try await connection.blockdevDel(nodeName: "over-a")
        #expect(await failure { try await connection.blockdevDel(nodeName: "over-a") }?.command == "blockdev-del")
    }

    @Test func `words of a newer QEMU are kept as they are`() {
        #expect(RunState("running") == .running)
        #expect(RunState("sleeping") == .unknown("sleeping"))
        #expect("\(RunState("sleeping")) \(RunState.inMigrate)" == "sleeping inmigrate")
        #expect(MigrationStatus("wait-unplug") == .unknown("wait-unplug"))
        #expect(MigrationStatus("wait-unplug").isUnderWay)
        #expect("\(MigrationStatus.preSwitchover) \(MigrationStatus("x"))" == "pre-switchover x")
    }
}
