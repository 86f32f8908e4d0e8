import HypervisorAPI
import Testing
import Time

@testable import ControlInstance

/// Hosts that are added while it runs.
struct HostTests {
    private func control(_ bench: Bench) throws -> ControlInstance {
        let right = bench.right
        return try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left],
            connect: { _ in right },
            store: bench.store,
            options: Bench.options
        )
    }

    @Test func aHostIsKnownAgainAfterARestart() async throws {
        let bench = try Bench()
        let first = try control(bench)
        #expect(try await first.hosts().map(\.name) == ["left"])
        let added = try await first.addHost(
            HostRequest(name: "right", address: "lab2.example:7443", labels: ["rack": "a"])
        )
        #expect(added.state == .ready && added.address == "lab2.example:7443" && added.labels == ["rack": "a"])
        try await bench.up(first)

        let second = try control(bench)
        #expect(try await second.hosts().map(\.name) == ["left"], "before it has recovered")
        #expect(await second.recover().problems == [])
        #expect(try await second.hosts().map(\.name) == ["left", "right"])
        #expect(try await second.hosts()[1].machines == 1)
        #expect(second.host(named: "rack=a") == "right" && second.host(named: "rack=b") == "rack=b")
        #expect(try await bench.suspend(second).outcome == .done)
    }

    @Test(arguments: [
        "lab2", "lab2:", ":7443", "lab2:0", "lab2:70000", "lab2:x", "http://lab2:7443", "a b:1", "[::1]", "[]:1",
        "lab2:7443/x", "u@h:1",
    ])
    func whatIsNoAddressIsRefused(_ address: String) async throws {
        let bench = try Bench()
        let control = try control(bench)
        let error = await #expect(throws: ControlError.self) {
            try await control.addHost(HostRequest(name: "right", address: address))
        }
        #expect(error?.reasons.map(\.code) == ["address-invalid"])
        #expect(try await bench.store.hosts() == [])
    }

    @Test func aDrainedHostTakesNoMachinesAndKeepsThoseThatRun() async throws {
        let bench = try Bench()
        let control = try control(bench)
        _ = try await control.addHost(HostRequest(name: "right", address: "[::1]:7443"))
        try await bench.up(control)
        #expect(try await control.drainHost("right", drained: true).state == .drained)
        #expect(try await bench.suspend(control).outcome == .done)
        let error = await #expect(throws: ControlError.self) { try await bench.resume(control) }
        #expect(error?.reasons.map(\.code) == ["host-drained"] && error?.exitCode == 3)
        #expect(try await control.drainHost("right", drained: false).state == .ready)
        #expect(try await bench.resume(control).outcome == .done)
    }

    @Test func aHostThatIsNeededIsForgottenOnlyByForce() async throws {
        let bench = try Bench()
        let control = try control(bench)
        _ = try await control.addHost(HostRequest(name: "right", address: "lab2:7443"))
        try await bench.up(control)
        #expect(try await bench.suspend(control).outcome == .done)
        for _ in 0..<2 {
            let error = await #expect(throws: ControlError.self) { try await control.removeHost("right", force: false) }
            #expect(error?.reasons.map(\.code) == ["host-in-use"])
            if try await control.simulation(named: "sim").summary.state != .down { _ = try await control.down("sim") }
        }
        _ = try await control.remove("sim", "s1", recursive: false)
        try await control.removeHost("right", force: false)
        #expect(try await control.hosts().map(\.name) == ["left"])
        #expect(try await bench.store.hosts() == [])

        _ = try await control.addHost(HostRequest(name: "right", address: "lab2:7443"))
        try await bench.up(control)
        try await control.removeHost("right", force: true)
        #expect(try await control.down("sim").machines == ["a", "b"])
        await #expect(throws: ControlError.self) { try await control.removeHost("right", force: true) }
    }
}
