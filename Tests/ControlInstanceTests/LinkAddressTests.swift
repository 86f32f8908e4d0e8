import HypervisorAPI
import Testing

@testable import ControlInstance

/// Links between hosts, of which one was added by the address of this machine.
struct LinkAddressTests {
    /// `a` and `b` on the own host, `c` on the other one.
    private static func spec(_ name: String = "sim", links: Int = 1) -> SimulationSpec {
        var spec = Bench.spec
        spec.name = name
        spec.links = (0..<links).map {
            LinkSpec(name: "l\($0)", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "c")])
        }
        spec.links.append(LinkSpec(name: "inside", kind: .dgram, ends: [.init(machine: "a"), .init(machine: "b")]))
        return spec
    }

    private static func control(
        _ bench: Bench,
        at address: String = "127.0.0.1:7443",
        ports: String = "24000-24999"
    ) async throws -> ControlInstance {
        let right = bench.right
        var options = Bench.options
        options.linkPorts = try #require(LinkPorts(ports))
        let control = try ControlInstance(
            home: bench.home,
            hypervisors: [bench.left],
            connect: { _ in right },
            store: bench.store,
            options: options
        )
        _ = try await control.addHost(HostRequest(name: "right", address: address))
        return control
    }

    private static func ports(_ spec: SimulationSpec) -> [UInt16] { spec.links.flatMap(\.ends).compactMap(\.port) }

    @Test func eachEndHasAnAddressOfItsHostAndAPortOfItsOwn() async throws {
        let bench = try Bench()
        let control = try await Self.control(bench)
        let spec = try await control.wired(Self.spec(links: 20))
        let outside = spec.links.filter { $0.name != "inside" }
        #expect(outside.flatMap(\.ends).allSatisfy { $0.address?.hasPrefix("127.0.0.1:24") == true })
        #expect(Set(Self.ports(spec)).count == 40)
        #expect(spec.links.last?.ends.map(\.address) == [nil, nil])
    }

    @Test func whatRunsAndWhatIsUnderWayKeepsItsPorts() async throws {
        let bench = try Bench()
        let control = try await Self.control(bench, ports: "24000-24003")
        let up = try await control.result(of: control.up(UpRequest(spec: Self.spec())))
        #expect(up.outcome == .done, "\(up.reasons)")
        let running = try #require(try await bench.store.simulation("sim")).spec
        let other = try await control.wired(Self.spec("other"))
        #expect(Set(Self.ports(running) + Self.ports(other)).count == 4)
        let error = await #expect(throws: ControlError.self) {
            try await control.wired(Self.spec("third"), beside: [other])
        }
        #expect(error?.reasons.map(\.code) == ["link-ports-taken"] && error?.exitCode == 3)
        #expect(try await bench.suspend(control).outcome == .done)
        #expect(try await bench.resume(control).outcome == .done)
        let live = try await #require(throws: ControlError.self) {
            try await control.checkpoint(SaveRequest(simulation: "sim"))
        }
        #expect(live.reasons.map(\.code) == ["link-between-hosts"])
    }

    @Test func aHostOfAnotherNetworkIsReachedFromTheAddressOfTheRouteToIt() async throws {
        let bench = try Bench()
        let control = try await Self.control(bench, at: "[::1]:7443")
        let spec = try await control.wired(Self.spec())
        #expect(spec.links[0].ends.allSatisfy { $0.address?.hasPrefix("[::1]:24") == true })
    }

    @Test func aNameWithoutAnAddressIsRefusedBeforeAnythingStarts() async throws {
        let bench = try Bench()
        let control = try await Self.control(bench, at: "nowhere.invalid:7443")
        let error = await #expect(throws: ControlError.self) { try await control.up(UpRequest(spec: Self.spec())) }
        #expect(error?.reasons.map(\.code) == ["link-address-unknown"] && error?.exitCode == 3)
    }

    @Test(arguments: ["", "24000", "24000-", "-1", "24001-24000", "24000-24000", "0-5", "1-70000", "a-b", "1-2-3"])
    func whatIsNoRangeOfPortsIsNone(_ text: String) {
        #expect(LinkPorts(text) == nil)
    }
}
