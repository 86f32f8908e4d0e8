import HypervisorAPI
import Testing

@testable import ControlInstance

/// Whoever uses the API directly has no manifest that was checked.
struct SpecCheckTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var code: String
        var spoil: @Sendable (inout SimulationSpec) -> Void

        init(_ description: String, _ code: String, _ change: @escaping @Sendable (inout SimulationSpec) -> Void) {
            testDescription = description
            self.code = code
            spoil = change
        }
    }

    static let sound: SimulationSpec = {
        var spec = Bench.spec
        spec.machines[0].disks = [DiskSpec(id: "disk0", file: "/a"), DiskSpec(id: "disk1", file: "/b")]
        spec.machines[0].serials = [.log, .link("wire")]
        spec.links = [LinkSpec(name: "wire", kind: .serial, ends: [.init(machine: "a"), .init(machine: "b")])]
        spec.resources = [ResourceSpec(name: "vpn", acquire: ["up"], release: ["down"])]
        return spec
    }()

    static let cases: [Case] = [
        Case("a machine out of its folder", "name-invalid") { $0.machines[0].name = "../../../x" },
        Case("a machine in upper case", "name-invalid") { $0.machines[2].name = "C" },
        Case("a machine without a name", "name-invalid") { $0.machines[2].name = "" },
        Case("a link out of its folder", "name-invalid") { $0.links[0].name = "../x" },
        Case("a resource out of its folder", "name-invalid") { $0.resources[0].name = "../x" },
        Case("a disk with more options", "name-invalid") { $0.machines[0].disks[0].id = "d,readonly=on" },
        Case("two machines of one name", "spec-invalid") { $0.machines[2].name = "b" },
        Case("two disks of one name", "spec-invalid") { $0.machines[0].disks[1].id = "disk0" },
        Case("two links of one name", "spec-invalid") { $0.links.append($0.links[0]) },
        Case("two resources of one name", "spec-invalid") { $0.resources.append($0.resources[0]) },
        Case("a link with one end", "spec-invalid") { $0.links[0].ends.removeLast() },
        Case("a link with three ends", "spec-invalid") { $0.links[0].ends.append(.init(machine: "b")) },
        Case("a link to nowhere", "spec-invalid") { $0.links[0].ends[1].machine = "z" },
        Case("a link to itself", "spec-invalid") { $0.links[0].ends[1].machine = "a" },
        Case("two cards of one address", "spec-invalid") {
            for index in 0..<2 { $0.links[0].ends[index].mac = "52:54:00:00:00:01" }
        },
        Case("a serial port without a link", "spec-invalid") { $0.machines[1].serials = [.link("none-such")] },
        Case("a serial link at two ports", "spec-invalid") { $0.machines[0].serials.append(.link("wire")) },
    ]

    @Test(arguments: cases)
    func whatContradictsItselfIsNotStarted(_ wrong: Case) async throws {
        let bench = try Bench()
        let control = try bench.control()
        var spec = Self.sound
        wrong.spoil(&spec)
        let request = UpRequest(spec: spec)
        let error = await #expect(throws: ControlError.self) { try await control.up(request) }
        #expect(error?.exitCode == 2 && error?.reasons.contains { $0.code == wrong.code } == true)
        #expect(!bench.left.calls.contains("prepare") && !bench.right.calls.contains("prepare"))
        #expect(try await control.simulations().isEmpty)
    }

    @Test func whatIsSoundIsStarted() async throws {
        let bench = try Bench()
        let control = try bench.control()
        #expect(try await control.result(of: control.up(UpRequest(spec: Self.sound))).outcome == .done)
    }
}
