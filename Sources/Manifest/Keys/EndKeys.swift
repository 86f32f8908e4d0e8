import HypervisorAPI

enum EndKeys {
    static let machine = Key("machine", ValueType<String>.name(of: "machine"), required: true, "the machine's name")
    static let device = Key(
        "device",
        ValueType<String>.string,
        "QEMU's model of the network card (`virtio-net-pci`, `e1000`…); the usual one of the machine if left out"
    )
    static let mac = Key(
        "mac",
        ValueType<String>.mac,
        "its address; made from the names if left out, the same at each start"
    )

    static let plain = ValueType<String>.name(of: "machine").map { name, _, _ in LinkSpec.End(machine: name) }
    static let full = ValueType<LinkSpec.End>.object(
        "an end of a link",
        label: "a mapping with machine, device, mac",
        keys: [machine.description, device.description, mac.description]
    ) { object in
        let machine = object(machine)
        let end = LinkSpec.End(machine: machine ?? "", device: object(device), mac: object(mac))
        return machine == nil ? nil : end
    }
    static let either = ValueType<LinkSpec.End>.either(plain, orObject: full)
}
