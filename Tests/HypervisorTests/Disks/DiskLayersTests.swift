import Glibc
import HypervisorAPI
import JSON
import QMP
import Testing
import Time

@testable import Hypervisor

@Suite("DiskLayers")
struct DiskLayersTests {
    private let layers = DiskLayers()

    private func qemuImg(_ arguments: String...) async throws {
        _ = try await ShortCommand(arguments: ["qemu-img"] + arguments).runSuccessfully()
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? HypervisorError)?.reasons.first?.code
        }
    }

    @Test("a raw image is taken only when somebody says that it is raw")
    func raw() async throws {
        let scratch = try ScratchFolder()
        try await qemuImg("create", "-q", "-f", "raw", scratch.file("a.img"), "1M")
        #expect(await code { _ = try await layers.inspect(scratch.file("a.img"), format: nil) } == "disk-format-needed")
        let info = try await layers.inspect(scratch.file("a.img"), format: "raw")
        #expect(info.format == "raw")
        #expect(info.virtualSize == 1 << 20)
    }

    @Test("missing and broken images are told apart")
    func broken() async throws {
        let scratch = try ScratchFolder()
        scratch.write(Array("QFI\u{fb}".utf8) + [UInt8](repeating: 0xff, count: 600), to: "b.qcow2")
        #expect(await code { _ = try await layers.inspect(scratch.file("none"), format: nil) } == "disk-missing")
        #expect(
            await code { _ = try await layers.inspect(scratch.file("b.qcow2"), format: "qcow2") } == "disk-unusable"
        )
        #expect(await code { _ = try await layers.inspect("b.qcow2", format: "qcow2") } == "disk-unusable")
    }

    @Test("a layer that does not say what lies below it is refused")
    func unknownBacking() async throws {
        let scratch = try ScratchFolder()
        try await qemuImg("create", "-q", "-f", "raw", scratch.file("base"), "1M")
        try await qemuImg("create", "-q", "-f", "qcow2", "-b", scratch.file("base"), "-F", "raw", scratch.file("top"))
        // The header extension that names the format becomes one that nobody knows.
        var bytes = try #require(ProcFile.read(scratch.file("top")))
        let name: [UInt8] = [0xe2, 0x79, 0x2a, 0xca]
        let position = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        bytes.replaceSubrange(position..<position + 4, with: [0x11, 0x22, 0x33, 0x44])
        scratch.write(bytes, to: "top")
        let top = try await layers.inspect(scratch.file("top"), format: "qcow2")
        #expect(top.backingFile == scratch.file("base"))
        #expect(await code { _ = try await layers.chain(of: top) } == "disk-format-needed")
    }

    @Test("the chain of layers is told top first, relative names resolved")
    func chain() async throws {
        let scratch = try ScratchFolder()
        try await qemuImg("create", "-q", "-f", "raw", scratch.file("base"), "1M")
        try await qemuImg("create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", scratch.file("one"))
        try await qemuImg("create", "-q", "-f", "qcow2", "-b", scratch.file("one"), "-F", "qcow2", scratch.file("two"))
        let top = try await layers.inspect(scratch.file("two"), format: nil)
        #expect(try await layers.chain(of: top).map(\.path) == [scratch.file("one"), scratch.file("base")])
    }

    @Test("images that lie below themselves, and too many of them, are told apart")
    func endless() async throws {
        let scratch = try ScratchFolder()
        func create(_ name: String, on base: String) async throws {
            let base = scratch.file(base)
            try await qemuImg("create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base, scratch.file(name), "1M")
        }
        try await create("a", on: "b")
        try await create("b", on: "a")
        let loop = try await layers.inspect(scratch.file("a"), format: "qcow2")
        #expect(await code { _ = try await layers.chain(of: loop) } == "disk-unusable")
        try await qemuImg("create", "-q", "-f", "qcow2", scratch.file("0"), "1M")
        for number in 1...201 { try await create("\(number)", on: "\(number - 1)") }
        let most = try await layers.inspect(scratch.file("200"), format: "qcow2")
        #expect(try await layers.chain(of: most).count == 200)
        let more = try await layers.inspect(scratch.file("201"), format: "qcow2")
        #expect(await code { _ = try await layers.chain(of: more) } == "disk-chain-too-long")
    }

    @Test("a machine writes its own overlay and never its image; read-only disks stay where they are")
    func overlays() async throws {
        let scratch = try ScratchFolder()
        mkdir(scratch.file("run"), 0o700)
        try await qemuImg("create", "-q", "-f", "raw", scratch.file("base"), "1M")
        let before = try await FileDigest.sha256(of: scratch.file("base"))
        let disks = try await layers.makeDisks(
            for: [
                DiskSpec(id: "root", file: scratch.file("base"), format: "raw"),
                DiskSpec(id: "cd", file: scratch.file("base"), format: "raw", interface: .cdrom),
            ],
            in: scratch.file("run")
        )
        #expect(disks.map(\.readOnly) == [false, true])
        #expect(disks.map(\.ownLayer) == [true, false])
        #expect(disks[1].path == scratch.file("base"))
        let written = try await ShortCommand(
            arguments: ["qemu-io", "-f", "qcow2", "-c", "write -P 7 0 4096", disks[0].path]
        ).run()
        #expect(written.succeeded)
        #expect(try await FileDigest.sha256(of: scratch.file("base")) == before)
        layers.removeOwnLayers(of: disks)
        #expect(access(disks[0].path, F_OK) != 0)
        #expect(access(scratch.file("base"), F_OK) == 0)
    }

    @Test("when one disk fails, the overlays of the others go")
    func undone() async throws {
        let scratch = try ScratchFolder()
        mkdir(scratch.file("run"), 0o700)
        try await qemuImg("create", "-q", "-f", "raw", scratch.file("base"), "1M")
        let specs = [
            DiskSpec(id: "root", file: scratch.file("base"), format: "raw"),
            DiskSpec(id: "data", file: scratch.file("missing"), format: "raw"),
        ]
        #expect(await code { _ = try await layers.makeDisks(for: specs, in: scratch.file("run")) } == "disk-missing")
        let left = try #require(opendir(scratch.file("run")))
        var names = 0
        while readdir(left) != nil { names += 1 }
        closedir(left)
        #expect(names == 2)
    }

    @Test("a frozen layer goes on below a new overlay, and keeps its bytes", arguments: QEMUUnderTest.all)
    func frozen(_ qemu: QEMUUnderTest) async throws {
        try await TestMachines.run(qemu) { machines in
            let scratch = machines.scratch
            for folder in ["a", "b", "checkpoint"] { mkdir(scratch.file(folder), 0o700) }
            try await qemuImg("create", "-q", "-f", "raw", scratch.file("base"), "1M")
            var spec = machines.spec("a")
            spec.disks = [
                DiskSpec(id: "root", file: scratch.file("base"), format: "raw"),
                DiskSpec(id: "data", file: scratch.file("base"), format: "raw", interface: .ide),
            ]
            var plan = try await machines.plan(spec)
            plan.disks = try await layers.makeDisks(for: spec.disks, in: scratch.file("a"))
            let machine = try await machines.launch(plan)
            let nodes = try await machine.monitor.queryBlock().compactMap { $0.inserted?.nodeName }
            #expect(Set(nodes) == ["disk-root", "disk-data"])
            // The machine writes its overlay.
            _ = try await machine.monitor.humanMonitor(
                "qemu-io -d /machine/peripheral/dev-root/virtio-backend \"write -P 9 0 65536\""
            )
            try await machine.record.identity.terminate()

            let result = try await layers.freeze(
                machine.record.disks[0],
                into: scratch.file("checkpoint"),
                as: "root.qcow2"
            )
            #expect(result.way == .link)
            #expect(result.disk.file.path == "root.qcow2")
            #expect(result.disk.backingFiles == [scratch.file("base")])
            // Told when the checkpoint is sealed.
            #expect(result.disk.file.sha256 == nil)
            let digest = try await FileDigest.sha256(of: scratch.file("checkpoint/root.qcow2"))
            layers.removeOwnLayers(of: machine.record.disks)

            let again = try await layers.makeDisks(
                on: [result.disk],
                checkpointFolder: scratch.file("checkpoint"),
                specs: spec.disks,
                in: scratch.file("b")
            )
            let reads = ["read -P 9 0 65536", "write -P 1 0 65536"].map {
                ShortCommand(arguments: ["qemu-io", "-f", "qcow2", "-c", $0, again[0].path])
            }
            for command in reads { #expect(try await command.run().succeeded) }
            #expect(try await FileDigest.sha256(of: scratch.file("checkpoint/root.qcow2")) == digest)
        }
    }

    @Test("every kind of disk is found by the machine", arguments: QEMUUnderTest.all, ["pc", "q35"])
    func interfaces(_ qemu: QEMUUnderTest, _ type: String) async throws {
        try await TestMachines.run(qemu) { machines in
            mkdir(machines.scratch.file("a"), 0o700)
            try await qemuImg("create", "-q", "-f", "raw", machines.scratch.file("base"), "1440K")
            var spec = machines.spec("a", type: type)
            let interfaces: [DiskSpec.Interface] =
                [.virtio, .ide, .scsi, .cdrom, .ide, .none] + (type == "pc" ? [.floppy] : [])
            spec.disks = interfaces.enumerated().map {
                DiskSpec(id: "d\($0)", file: machines.scratch.file("base"), format: "raw", interface: $1)
            }
            var plan = try await machines.plan(spec)
            plan.disks = try await layers.makeDisks(for: spec.disks, in: plan.folder)
            let machine = try await machines.launch(plan)
            let nodes = try await machine.monitor.queryNamedBlockNodes().map(\.nodeName)
            for disk in machine.record.disks {
                #expect(nodes.contains(disk.nodeName))
                #expect(nodes.contains(disk.fileNodeName))
            }
            let attached = try await machine.monitor.queryBlock().compactMap { $0.inserted?.nodeName }
            #expect(Set(attached) == Set(machine.record.disks.map(\.nodeName)).subtracting(["disk-d5"]))
        }
    }
}
