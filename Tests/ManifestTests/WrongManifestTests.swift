import Testing

struct WrongManifestTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var text: String
        /// `line:column: message`
        var problems: [String]

        init(_ description: String, _ text: String, _ problems: String...) {
            testDescription = description
            self.text = text
            self.problems = problems
        }

        /// In the place of `KEYS` of a machine that is right otherwise: line 5, column 5.
        init(machine keys: String, _ problems: String...) {
            self.init(
                "machine: \(keys)",
                "simulation: a\nmachines:\n  m:\n    arch: x86_64\n    \(keys)\n    machine: pc\n"
            )
            self.problems = problems
        }

        /// In the place of `KEYS` of a simulation with the machines `left` and `right`: line 5, column 1.
        init(pair keys: String, _ problems: String...) {
            self.init(
                "pair: \(keys)",
                """
                simulation: a
                machines:
                  left: {arch: x86_64, machine: pc}
                  right: {arch: x86_64, machine: pc}
                \(keys)
                """
            )
            self.problems = problems
        }
    }

    static let yaml: [Case] = [
        Case("empty", "", "1:1: the manifest is empty"),
        Case("only a comment", "# nothing\n", "1:1: the manifest is empty"),
        Case("a list", "- a\n", "1:1: expected a mapping, found a list"),
        Case("a scalar", "pair\n", "1:1: expected a mapping, found 'pair'"),
        Case(
            "not YAML",
            "simulation: a\nmachines: [\n",
            "3:1: not YAML: while parsing a flow node: did not find expected node content"
        ),
        Case(
            "a tab",
            "simulation: a\nmachines:\n\tm: x\n",
            "3:1: not YAML: while scanning for the next token: "
                + "found character that cannot start any token"
        ),
        Case("a key twice", "simulation: a\nmachines: {}\nsimulation: b\n", "3:1: the key 'simulation' is there twice"),
        Case(
            "a key twice below",
            "simulation: a\nmachines:\n  m:\n    arch: x86_64\n    machine: pc\n    \"arch\": x86_64\n",
            "6:5: the key 'arch' is there twice"
        ),
        Case(
            "two documents",
            "simulation: a\n---\nsimulation: b\n",
            "2:1: not YAML: expected a single document in the "
                + "stream: but found another document"
        ),
        Case("an unknown alias", "simulation: *a\n", "1:13: not YAML: found undefined alias"),
        Case("a deep list", String(repeating: "[", count: 200), "1:65: nested deeper than a manifest can be"),
        Case(
            "a deep list without brackets",
            String(repeating: "- ", count: 2000),
            "1:257: nested deeper than a manifest can be"
        ),
    ]

    static let simulations: [Case] = [
        Case(
            "no name",
            "machines:\n  m: {arch: x86_64, machine: pc}\n",
            "1:1: the key 'simulation' is missing: "
                + "the simulation's name"
        ),
        Case("no machines", "simulation: a\n", "1:1: the key 'machines' is missing: the machines by their names"),
        Case("empty machines", "simulation: a\nmachines: {}\n", "2:11: a simulation needs at least one machine"),
        Case(
            "machines as a list",
            "simulation: a\nmachines: [m]\n",
            "2:11: expected a mapping of machines, found a list"
        ),
        Case(
            "a name with capitals",
            "simulation: Pair\nmachines:\n  m: {arch: x86_64, machine: pc}\n",
            "1:13: 'Pair' cannot be the name of a simulation: up to 63 of a-z, 0-9, _ and -, the first a letter or digit"
        ),
        Case(
            "a machine that leads out of its folder",
            "simulation: a\nmachines:\n  ../m: {arch: x86_64, machine: pc}\n",
            "3:3: '../m' cannot be the name of a machine: up to 63 of a-z, 0-9, _ and -, the first a letter or digit"
        ),
        Case(
            "a mistyped key",
            "simulation: a\nmachnies:\n  m: {arch: x86_64, machine: pc}\n",
            "1:1: the key 'machines' is missing: the machines by their names",
            "2:1: the manifest has no key 'machnies'; did you mean 'machines'?"
        ),
        Case(pair: "clock: 90s", "5:8: '90s' is not a clock policy"),
        Case(pair: "hooks: {before-suspend: x}", "5:25: expected a hook's mapping, found 'x'"),
        Case(pair: "hosts: []", "5:8: hosts are not supported yet: leave the key out"),
        Case(
            "an unset variable",
            "simulation: a\nmachines:\n  m: {arch: '${ARCH}', machine: pc}\n",
            "3:13: the environment variable ARCH is not set; ${ARCH:-default} gives a default"
        ),
        Case(
            "several at once",
            "simulation: A\nmachines:\n  m: {arch: x86_64, machine: pc, cpus: 0}\n  n: {machine: 5x}\nlink: []\n",
            "1:13: 'A' cannot be the name of a simulation: up to 63 of a-z, 0-9, _ and -, the first a letter or digit",
            "3:40: expected a whole number from 1 to 1024, found '0'",
            "4:6: a machine needs 'arch' or 'qemu'",
            "5:1: the manifest has no key 'link'; did you mean 'links'?"
        ),
    ]

    static let machines: [Case] = [
        Case(machine: "memroy: 1G", "5:5: a machine has no key 'memroy'; did you mean 'memory'?"),
        Case(
            machine: "memory: 128MB",
            "5:13: expected a size such as 128M, in bytes or with K, M, G or T, found '128MB'"
        ),
        Case(machine: "memory: -1", "5:13: expected a size such as 128M, in bytes or with K, M, G or T, found '-1'"),
        Case(machine: "memory: 99999999999T", "5:13: '99999999999T' is no size that a machine can have"),
        Case(pair: "quota: much", "5:8: expected a size such as 20G, in bytes or with K, M, G or T, found 'much'"),
        Case(pair: "quota: 0", "5:8: expected a size such as 20G, in bytes or with K, M, G or T, found '0'"),
        Case(
            pair: "quota: 99999999999T",
            "5:8: expected a size such as 20G, in bytes or with K, M, G or T, found '99999999999T'"
        ),
        Case(machine: "memory:", "5:12: expected a size such as 128M, found nothing"),
        Case(machine: "cpus: two", "5:11: expected a whole number from 1 to 1024, found 'two'"),
        Case(machine: "cpus: [1]", "5:11: expected a whole number from 1 to 1024, found a list"),
        Case(machine: "accel: kwm", "5:12: expected tcg or kvm, found 'kwm'; did you mean 'kvm'?"),
        Case(machine: "kernel: none", "5:13: there is no file LAB/none"),
        Case(machine: "initrd: initrd.img", "5:13: 'initrd' is for a 'kernel', and there is none"),
        Case(
            "no such program",
            "simulation: a\nmachines:\n  m: {qemu: bin/qemu, machine: pc}\n",
            "3:13: there is no program LAB/bin/qemu"
        ),
        Case(machine: "qemu: bin/qemu-system-x86_64", "5:11: a machine has either 'arch' or 'qemu', not both"),
        Case(machine: "disks: base.qcow2", "5:12: expected a list of disks, found 'base.qcow2'"),
        Case(machine: "disks: [{id: a}]", "5:13: the key 'file' is missing: the image"),
        Case(
            machine: "disks: [{file: base.qcow2, id: a}, {file: base.qcow2, id: a}]",
            "5:40: the machine has two disks with the id 'a'"
        ),
        Case(
            machine: "disks: [{file: base.qcow2, interface: ata}]",
            "5:43: expected virtio or ide or scsi or sd or floppy or cdrom or none, found 'ata'"
        ),
        Case(machine: "disks: [{file: base.qcow2, readonly: 2}]", "5:42: expected true or false, found '2'"),
        Case(machine: "rtc: {clock: wm}", "5:18: expected host or vm or rt, found 'wm'; did you mean 'vm'?"),
        Case(machine: "rtc: {base: 2024-02-30T00:00:00Z}", "5:17: \"2024-02-30T00:00:00Z\""),
        Case(
            machine: "serial: [lgo]",
            "5:14: 'lgo' is neither log, none, nor a serial link of this machine; did you mean "
                + "'log'?"
        ),
        Case(machine: "ram: files", "5:10: expected file or stream or mapped, found 'files'; did you mean 'file'?"),
        Case(machine: "args: -nographic", "5:11: expected a list of arguments, found '-nographic'"),
        Case(
            "no such architecture",
            "simulation: a\nmachines:\n  m: {arch: vax, machine: pc}\n",
            "3:13: there is no program qemu-system-vax on PATH"
        ),
        Case(
            "an architecture that is a path",
            "simulation: a\nmachines:\n  m: {arch: ../x, machine: pc}\n",
            "3:13: '../x' is no architecture such as x86_64, aarch64, riscv64"
        ),
        Case("no type", "simulation: a\nmachines:\n  m: {arch: x86_64}\n", "3:6: the key 'machine' is missing"),
        Case(
            "options in the type",
            "simulation: a\nmachines:\n  m: {arch: x86_64, machine: 'pc,hpet=off'}\n",
            "3:30: 'pc,hpet=off' is no machine type; options are written {type: pc, option: value}"
        ),
        Case(
            "options without a type",
            "simulation: a\nmachines:\n  m: {arch: x86_64, machine: {hpet: off}}\n",
            "3:30: the key 'type' is missing: the machine type"
        ),
    ]

    static let couplings: [Case] = [
        Case(
            pair: "links: [{name: l, between: [left, rihgt]}]",
            "5:35: there is no machine 'rihgt'; did you mean 'right'?"
        ),
        Case(pair: "links: [{name: l, between: [left]}]", "5:28: expected a list of two machines, found only 1"),
        Case(
            pair: "links: [{name: l, between: [left, right, left]}]",
            "5:28: expected a list of two machines, found 3"
        ),
        Case(pair: "links: [{name: l, between: [left, left]}]", "5:35: link 'l' joins 'left' to itself"),
        Case(pair: "links: [{between: [left, right]}]", "5:9: the key 'name' is missing: the link's name"),
        Case(
            pair: "links: [{name: l, between: [left, right]}, {name: l, between: [left, right]}]",
            "5:51: there are two links named 'l'"
        ),
        Case(
            pair: "links: [{name: l, kind: seriall, between: [left, right]}]",
            "5:25: expected dgram or stream or serial, found 'seriall'; did you mean 'serial'?"
        ),
        Case(
            pair: "links: [{name: l, kind: serial, between: [left, {machine: right, device: e1000}]}]",
            "5:49: a serial line has no 'device' and no 'mac'"
        ),
        Case(
            pair: "links: [{name: l, between: [left, {machine: right, mac: 52:54:00:00:00}]}]",
            "5:57: '52:54:00:00:00' is no MAC address such as 52:54:00:12:34:56"
        ),
        Case(
            pair: "links: [{name: l, between: [left, {machine: right, mac: '01:00:5e:00:00:01'}]}]",
            "5:57: '01:00:5e:00:00:01' is a group address, and a device needs one of its own"
        ),
        Case(
            pair: "links: [{name: l, between: [{machine: left, mac: '52:54:00:00:00:01'}, "
                + "{machine: right, mac: '52:54:00:00:00:01'}]}]",
            "5:72: the MAC address 52:54:00:00:00:01 is there twice"
        ),
        Case(
            pair: "links: [{name: log, kind: serial, between: [left, right]}]",
            "5:16: a serial line cannot be named 'log', which means something else"
        ),
        Case(
            pair: "resources: {vpn: {acquire: [up]}}",
            "5:18: the key 'release' is missing: the command that gives it back"
        ),
        Case(
            pair: "resources: {vpn: {acquire: up, release: [down]}}",
            "5:28: expected a list of a command and its arguments, found 'up'"
        ),
        Case(
            pair: "resources: {vpn: {acquire: [], release: [down]}}",
            "5:28: expected a list of a command and its arguments, found an empty one"
        ),
        Case(pair: "resources: {vpn: {acquire: [up], release: [down], timeout: 10}}", "5:60: \"10\""),
        Case(
            pair: "resources: {vpn: {acquire: [up], release: [down], timeout: 0s}}",
            "5:60: expected a duration longer than nothing, found '0s'"
        ),
    ]

    @Test(arguments: yaml + simulations + machines + couplings)
    func isRefusedWithItsPlace(_ wrong: Case) throws {
        let found = try Lab().problems(wrong.text)
        #expect(found.count == wrong.problems.count, "\(found)")
        // Messages of other modules (times, policies) may say more.
        for (found, expected) in zip(found, wrong.problems) { #expect(found.hasPrefix(expected)) }
    }

    @Test func aProblemIsPrintedWithItsFileAsEditorsReadIt() throws {
        let lab = try Lab()
        let error = #expect(throws: (any Error).self) { try lab.parse("simulation: a\nmachines: 5\n") }
        #expect("\(try #require(error))" == "lab.yaml:2:11: expected a mapping of machines, found '5'")
    }
}
