import HypervisorAPI
import Testing

@testable import HypervisorRemote

/// Names become names of files on the agent's host.
struct NameCheckTests {
    static let hostile = [
        "", ".", "..", "../../etc", "a/b", "/etc", "a\0b", "-rf", "a b", "A", "é", String(repeating: "a", count: 64),
        "a\n", "$(x)",
    ]

    private func start(_ change: (inout SimulationSpec) -> Void) -> Order {
        var simulation = SimulationSpec(
            name: "lab",
            machines: [MachineSpec(name: "bmc", qemu: "/usr/bin/qemu-system-arm", machineType: "virt")],
            links: [LinkSpec(name: "lan", kind: .dgram, ends: [.init(machine: "bmc"), .init(machine: "bmc")])],
            resources: [ResourceSpec(name: "vpn", acquire: [], release: [])]
        )
        simulation.machines[0].disks = [DiskSpec(id: "disk0", file: "/srv/disk", format: "qcow2")]
        change(&simulation)
        return .start(StartOrder(operation: OperationID(text: "01m8cr1ha25p"), simulation: simulation, instant: nil))
    }

    @Test func plainNamesPass() throws { try NameCheck.order(start { _ in }) }

    @Test(arguments: hostile)
    func noOtherNameDoes(_ name: String) {
        let orders = [
            start { $0.name = name }, start { $0.machines[0].name = name }, start { $0.links[0].name = name },
            start { $0.resources[0].name = name }, start { $0.links[0].ends[1].machine = name },
        ]
        for order in orders { #expect(throws: HypervisorError.self) { try NameCheck.order(order) } }
        let save = SaveOrder(
            operation: OperationID(text: "op"),
            simulation: "lab",
            machines: ["bmc", name],
            instant: nil,
            folder: "f",
            finalFolder: "g"
        )
        #expect(throws: HypervisorError.self) { try NameCheck.order(.suspend(save)) }
        #expect(throws: HypervisorError.self) { try NameCheck.simulation(name) }
    }

    @Test(arguments: ["", ".", "..", "../x", "a/b", "/etc", "a\0b", "-x", "a b", "a,b=c", "é", ".hidden"])
    func noDiskOrOperationIsCalledThat(_ name: String) {
        #expect(throws: HypervisorError.self) { try NameCheck.order(start { $0.machines[0].disks[0].id = name }) }
        #expect(throws: HypervisorError.self) { try NameCheck.order(start { $0.machines[0].disks[0].format = name }) }
        if name != "-x" { #expect(throws: HypervisorError.self) { try NameCheck.operation(OperationID(text: name)) } }
    }

    @Test func twoOfOneNameAreOneTooMany() {
        #expect(throws: HypervisorError.self) { try NameCheck.order(start { $0.machines.append($0.machines[0]) }) }
        #expect(throws: HypervisorError.self) { try NameCheck.order(start { $0.links.append($0.links[0]) }) }
    }
}
