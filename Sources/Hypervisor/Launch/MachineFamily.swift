/// How devices are plugged into a kind of machine.
enum MachineFamily {
    /// PCI with the legacy IDE controller of i440FX.
    case pc
    /// PCI with an AHCI controller.
    case q35
    case pci
    /// virtio over memory-mapped slots, without PCI.
    case mmio
    case ccw
    /// Boards whose devices are soldered on.
    case board

    init(machineType: String) {
        func isOne(of names: String...) -> Bool {
            names.contains { machineType == $0 || machineType.hasPrefix($0 + "-") }
        }
        self =
            if isOne(of: "q35", "pc-q35") {
                .q35
            } else if isOne(of: "pc", "isapc", "xenfv") {
                .pc
            } else if isOne(of: "microvm") {
                .mmio
            } else if isOne(of: "s390-ccw-virtio") {
                .ccw
            } else if isOne(
                of: "virt",
                "pseries",
                "sbsa-ref",
                "powernv",
                "malta",
                "versatilepb",
                "versatileab",
                "realview-pb-a8",
                "realview-pbx-a9",
                "realview-eb",
                "mac99",
                "ppce500",
                "sun4u",
                "clipper"
            ) {
                .pci
            } else {
                .board
            }
    }

    /// What a virtio device's model ends with; nil where there is no place for one.
    var virtioSuffix: String? {
        switch self {
        case .pc, .q35, .pci: "pci"
        case .mmio: "device"
        case .ccw: "ccw"
        case .board: nil
        }
    }
}
