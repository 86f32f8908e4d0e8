import GuestClock
import HypervisorAPI
import Time

/// A machine whose serial lines are not yet compared with the links.
struct MachineDraft {
    var spec: MachineSpec
    /// As written: `log`, `none`, or the name of a link.
    var serials: [Placed<String>]
}

enum MachineKeys {
    static let arch = Key(
        "arch",
        ValueType<String>.string,
        "the architecture: runs `qemu-system-<arch>` as found on `PATH`"
    )
    static let qemu = Key(
        "qemu",
        ValueType<String>.string,
        "instead of `arch`, the QEMU binary: a path, or a name to be found on `PATH`"
    )
    static let machine = Key(
        "machine",
        MachineTypeKeys.either,
        required: true,
        "QEMU's machine type (`pc`, `q35`, `virt`…), or a mapping with `type` and further options of `-machine`"
    )
    static let memory = Key(
        "memory",
        ValueType<UInt64>.size,
        "bytes, or with K, M, G or T; QEMU's own default if left out"
    )
    static let cpus = Key("cpus", ValueType<Int>.integer(1...1024), standard: "1", "how many processors")
    static let cpu = Key("cpu", ValueType<String>.string, "the processor model, as in `-cpu`")
    static let accel = Key(
        "accel",
        ValueType<MachineSpec.Accelerator>.word,
        standard: "tcg",
        "how instructions are run"
    )
    static let firmware = Key("firmware", ValueType<String>.file, "the firmware image, as in `-bios`")
    static let kernel = Key("kernel", ValueType<String>.file, "the kernel to boot directly")
    static let initrd = Key("initrd", ValueType<String>.file, "the kernel's initial file system")
    static let append = Key("append", ValueType<String>.string, "the kernel's command line")
    static let disks = Key(
        "disks",
        ValueType<[Placed<DiskSpec>]>.list(of: DiskKeys.type, "a list of disks"),
        "disk images; the machine writes into an overlay of its own, never into the file itself"
    )
    static let rtc = Key("rtc", RTCKeys.type, "the real-time clock")
    static let serial = Key(
        "serial",
        ValueType<[Placed<String>]>.list(of: ValueType<String>.string, "a list of log, none, or names of serial links"),
        standard: "[log]",
        "the serial ports in order: `log` (a file, and a socket to talk to), `none`, or the name of a serial link; "
            + "the machine's serial links that are not in the list follow it"
    )
    static let ram = Key(
        "ram",
        ValueType<RAMWay>.word,
        "where RAM is and how it is saved; a file where that can be if left out, else the stream"
    )
    static let host = Key(
        "host",
        ValueType<String>.string,
        "the host to run on, by its name or by a label (`key=value`); the control instance's own if left out. Files are that "
            + "host's, and so is QEMU, in `/usr/bin` unless `qemu` is a path"
    )
    static let args = Key(
        "args",
        ValueType<[Placed<String>]>.list(of: ValueType<String>.string, "a list of arguments"),
        "further arguments for QEMU, added last"
    )

    static func type(named name: String) -> ValueType<MachineDraft> {
        ValueType<MachineDraft>.object(
            "a machine",
            label: "a machine's mapping",
            keys: [
                arch.description, qemu.description, machine.description, memory.description, cpus.description,
                cpu.description, accel.description, firmware.description, kernel.description, initrd.description,
                append.description, disks.description, rtc.description, serial.description, ram.description,
                host.description, args.description,
            ]
        ) { object in
            object.has(host) ? object.reading.elsewhere { draft(object, name) } : draft(object, name)
        }
    }

    private static func draft(_ object: ObjectReader, _ name: String) -> MachineDraft {
        let binary = binary(object)
        let type = object(machine)
        let spec = MachineSpec(
            name: name,
            qemu: binary ?? "",
            machineType: type?.name ?? "",
            machineOptions: type?.options ?? [:],
            memoryBytes: object(memory),
            cpus: object(cpus) ?? 1,
            cpuModel: object(cpu),
            accelerator: object(accel) ?? .tcg,
            firmware: object(firmware),
            kernel: object(kernel),
            initrd: object(initrd),
            append: object(append),
            disks: disks(object),
            serials: [],
            rtc: object(rtc) ?? RTCSpec(),
            arguments: (object(args) ?? []).map(\.value),
            ramWay: object(ram),
            host: object(host)
        )
        for key in [initrd, append] where object.has(key) && !object.has(kernel) {
            object.reading.report("'\(key.name)' is for a 'kernel', and there is none", at: object.place(of: key))
        }
        let standard = [Placed(value: "log", place: object.place)]
        return MachineDraft(spec: spec, serials: object.has(serial) ? object(serial) ?? [] : standard)
    }

    private static func binary(_ object: ObjectReader) -> String? {
        let reading = object.reading
        let searchPath = reading.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        switch (object(arch), object(qemu)) {
        case (nil, nil):
            if !object.has(arch), !object.has(qemu) {
                reading.report("a machine needs 'arch' or 'qemu'", at: object.place)
            }
            return nil
        case (_?, _?):
            reading.report("a machine has either 'arch' or 'qemu', not both", at: object.place(of: qemu))
            return nil
        case (let arch?, nil):
            let place = object.place(of: Self.arch)
            guard !arch.isEmpty, arch.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || isLetterOrDigit($0) }) else {
                reading.report("'\(arch)' is no architecture such as x86_64, aarch64, riscv64", at: place)
                return nil
            }
            return find("qemu-system-\(arch)", in: searchPath, at: place, reading)
        case (nil, let qemu?):
            let place = object.place(of: Self.qemu)
            guard qemu.contains("/") else { return find(qemu, in: searchPath, at: place, reading) }
            let path = Paths.absolute(qemu, from: reading.folder)
            if reading.checkingFiles, !Paths.isExecutable(path) {
                reading.report("there is no program \(path)", at: place)
                return nil
            }
            return path
        }
    }

    private static func find(_ name: String, in searchPath: String, at place: Place, _ reading: Reading) -> String? {
        // What is on this host's PATH says nothing of another's.
        if reading.isElsewhere { return "/usr/bin/\(name)" }
        if let path = Paths.executable(name, in: searchPath) { return path }
        reading.report("there is no program \(name) on PATH", at: place)
        return nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func disks(_ object: ObjectReader) -> [DiskSpec] {
        var specs: [DiskSpec] = []
        for (index, disk) in (object(disks) ?? []).enumerated() {
            var spec = disk.value
            if spec.id.isEmpty { spec.id = "disk\(index)" }
            if specs.contains(where: { $0.id == spec.id }) {
                object.reading.report("the machine has two disks with the id '\(spec.id)'", at: disk.place)
            }
            specs.append(spec)
        }
        return specs
    }
}
