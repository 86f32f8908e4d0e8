import HypervisorAPI

enum DiskKeys {
    static let file = Key("file", ValueType<String>.file, required: true, "the image")
    static let id = Key("id", ValueType<String>.name(of: "disk"), standard: "disk0, disk1…", "its name in QEMU")
    static let interface = Key(
        "interface",
        ValueType<DiskSpec.Interface>.word,
        standard: "virtio",
        "how the guest sees it; "
            + "`none`: only the block node, for a device in `args`"
    )
    static let format = Key("format", ValueType<String>.string, "`qcow2`, `raw`…; asked of `qemu-img` if left out")
    static let readonly = Key(
        "readonly",
        ValueType<Bool>.boolean,
        standard: "false",
        "whether the guest cannot write it"
    )

    static let type = ValueType<DiskSpec>.object(
        "a disk",
        label: "a disk's mapping",
        keys: [file.description, id.description, interface.description, format.description, readonly.description]
    ) { object in
        let file = object(file)
        let spec = DiskSpec(
            id: object(id) ?? "",
            file: file ?? "",
            format: object(format),
            interface: object(interface) ?? .virtio,
            readOnly: object(readonly) ?? false
        )
        return file == nil ? nil : spec
    }
}
