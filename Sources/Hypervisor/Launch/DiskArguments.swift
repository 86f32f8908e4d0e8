import HypervisorAPI

/// The block nodes and disk devices of a command line.
struct DiskArguments {
    let arguments: [String]

    init(plan: LaunchPlan) {
        let family = MachineFamily(machineType: plan.pinnedMachineType)
        let interfaces = Dictionary(
            plan.spec.disks.map { ($0.id, $0.interface) },
            uniquingKeysWith: { first, _ in first }
        )
        var line: [String] = []
        var slots = Slots()
        for disk in plan.disks {
            let interface = interfaces[disk.id] ?? .none
            guard interface != .sd else {
                line += ["-drive", Self.cardDrive(disk, index: slots.nextCard())]
                continue
            }
            line += Self.nodes(disk)
            line += Self.device(disk, interface, family, &slots)
        }
        arguments = line
    }

    private struct Slots {
        private var ide = 0
        private var card = 0
        private var scsiController = false

        mutating func nextIDE() -> Int { defer { ide += 1 }; return ide }
        mutating func nextCard() -> Int { defer { card += 1 }; return card }
        mutating func needsController() -> Bool { defer { scsiController = true }; return !scsiController }
    }

    private static func nodes(_ disk: MachineRecord.RunningDisk) -> [String] {
        let readOnly = disk.readOnly ? ",read-only=on" : ""
        return [
            "-blockdev",
            "driver=file,node-name=\(disk.fileNodeName),filename=\(CommandLine.escaped(disk.path))\(readOnly)",
            "-blockdev",
            "driver=\(disk.format),node-name=\(disk.nodeName),file=\(disk.fileNodeName)\(readOnly)",
        ]
    }

    /// A board takes the card in its slot only from a drive of that kind, not from a device.
    private static func cardDrive(_ disk: MachineRecord.RunningDisk, index: Int) -> String {
        "if=sd,index=\(index),id=\(StableName.identifier("card", disk.id)),driver=\(disk.format),node-name=\(disk.nodeName),"
            + "file.driver=file,file.node-name=\(disk.fileNodeName),file.filename=\(CommandLine.escaped(disk.path))"
            + (disk.readOnly ? ",read-only=on" : "")
    }

    private static func device(
        _ disk: MachineRecord.RunningDisk,
        _ interface: DiskSpec.Interface,
        _ family: MachineFamily,
        _ slots: inout Slots
    ) -> [String] {
        let identity = "drive=\(disk.nodeName),id=\(StableName.identifier("dev", disk.id))"
        let suffix = family.virtioSuffix ?? "device"
        switch interface {
        case .virtio:
            return ["-device", "virtio-blk-\(suffix),\(identity)"]
        case .scsi:
            return controller(suffix, &slots) + ["-device", "scsi-hd,\(identity),bus=scsi0.0"]
        case .ide:
            return ["-device", "ide-hd,\(identity)\(ideAddress(family, &slots))"]
        case .cdrom:
            guard family == .pc || family == .q35 else {
                return controller(suffix, &slots) + ["-device", "scsi-cd,\(identity),bus=scsi0.0"]
            }
            return ["-device", "ide-cd,\(identity)\(ideAddress(family, &slots))"]
        case .floppy:
            return ["-device", "floppy,\(identity)"]
        case .sd, .none:
            return []
        }
    }

    private static func controller(_ suffix: String, _ slots: inout Slots) -> [String] {
        slots.needsController() ? ["-device", "virtio-scsi-\(suffix),id=scsi0"] : []
    }

    private static func ideAddress(_ family: MachineFamily, _ slots: inout Slots) -> String {
        let slot = slots.nextIDE()
        return switch family {
        case .pc: ",bus=ide.\(slot / 2),unit=\(slot % 2)"
        case .q35: ",bus=ide.\(slot)"
        case .pci, .mmio, .ccw, .board: ""
        }
    }
}
