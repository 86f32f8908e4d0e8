import HypervisorAPI
import Synchronization

/// Links between machines of different hosts.
extension ControlInstance {
    /// A simulation whose links between hosts have an address for each end, chosen at each launch.
    /// - Parameters:
    ///   - hosts: where machines are, by name; those not in it are where the specification says.
    ///   - others: what is to be launched beside it and is not in the database.
    /// - Throws: `link-address-unknown`, `link-ports-taken`.
    func wired(
        _ spec: SimulationSpec,
        hosts: [String: String] = [:],
        beside others: [SimulationSpec] = []
    ) async throws(ControlError) -> SimulationSpec {
        var spec = spec
        for link in spec.links.indices {
            for end in spec.links[link].ends.indices { spec.links[link].ends[end].address = nil }
        }
        let places = Dictionary(
            spec.machines.map { ($0.name, hosts[$0.name] ?? $0.host ?? ownHost) },
            uniquingKeysWith: { first, _ in first }
        )
        // A host that is not known is told of by who places the machines.
        let known = Set(hypervisors.map(\.host))
        let apart = spec.links.indices.filter { index in
            let link = spec.links[index]
            return link.kind == .dgram && link.leavesHost(places)
                && link.ends.allSatisfy { known.contains(places[$0.machine] ?? "") }
        }
        guard !apart.isEmpty else { return spec }
        let running = try await reading { () throws(StoreError) in try await self.store.simulations() }
            .filter { $0.state == .running && $0.name != spec.name }.map(\.spec)
        let underWay = try await reading { () throws(StoreError) in try await self.store.unfinishedOperations() }
            .map(\.target.spec)
        var taken = Set((running + underWay + others).flatMap(\.links).flatMap(\.ends).compactMap(\.port))
        var addresses = LinkAddresses(own: ownHost, endpoints: state.withLock { $0.added.mapValues(\.record.address) })
        for index in apart {
            let link = spec.links[index]
            let ends = link.ends.map { places[$0.machine] ?? ownHost }
            let pair = try await addresses.pair(ends[0], ends[1], of: link.name)
            guard let port = freePort(besides: taken) else {
                throw ControlError(
                    code: "link-ports-taken",
                    message:
                        "all ports for links between hosts are taken (\(options.linkPorts)); FERMATA_LINK_PORTS gives more",
                    exitCode: 3
                )
            }
            taken.formUnion([UInt16(port), UInt16(port + 1)])
            spec.links[index].ends[0].address = pair.0.with(port: port)
            spec.links[index].ends[1].address = pair.1.with(port: port + 1)
        }
        return spec
    }

    /// Why a simulation's links cannot join machines where they are.
    /// - Parameter places: of all its machines, by name.
    func linkObstacles(_ spec: SimulationSpec, _ places: [String: String]) -> [Reason] {
        spec.links.filter { $0.kind != .dgram && $0.leavesHost(places) }.map { link in
            Reason(
                code: "link-between-hosts",
                message:
                    "link '\(link.name)' would join machines of different hosts, which only links of kind dgram can"
            )
        }
    }

    /// The first of two. Any: whoever else holds a port that is not known here is then met once and not again.
    private func freePort(besides taken: Set<UInt16>) -> Int? {
        options.linkPorts.pairs.filter { !taken.contains(UInt16($0)) && !taken.contains(UInt16($0 + 1)) }
            .randomElement()
    }
}

extension LinkSpec {
    /// - Parameter hosts: of machines, by name.
    func leavesHost(_ hosts: [String: String]) -> Bool { Set(ends.map { hosts[$0.machine] }).count > 1 }
}

/// By which addresses hosts reach each other. A host that was added by its loopback address is the control instance's own machine.
private struct LinkAddresses {
    private let own: String
    /// By host, `lab2.example:7443`.
    private let endpoints: [String: String]
    private var known: [String: HostAddress] = [:]

    init(own: String, endpoints: [String: String]) {
        self.own = own
        self.endpoints = endpoints
    }

    mutating func pair(
        _ first: String,
        _ second: String,
        of link: String
    ) async throws(ControlError) -> (HostAddress, HostAddress) {
        let registered = (try await address(of: first, link), try await address(of: second, link))
        guard let one = registered.0 ?? registered.1.flatMap(HostAddress.own),
            let other = registered.1 ?? registered.0.flatMap(HostAddress.own)
        else { throw unknown(link, "\(first) and \(second)") }
        guard one.isIPv6 == other.isIPv6 else {
            throw unknown(link, "\(first) and \(second) of one family (\(one.text), \(other.text))")
        }
        guard one.isLoopback == other.isLoopback else {
            guard let outer = one.isLoopback ? HostAddress.own(towards: other) : HostAddress.own(towards: one) else {
                throw unknown(link, "\(first) and \(second)")
            }
            return one.isLoopback ? (outer, other) : (one, outer)
        }
        return (one, other)
    }

    /// - Returns: nil for its own host, whose address depends on who asks.
    private mutating func address(of host: String, _ link: String) async throws(ControlError) -> HostAddress? {
        guard host != own else { return nil }
        if let address = known[host] { return address }
        guard let endpoint = endpoints[host], let address = await HostAddress.of(endpoint) else {
            throw unknown(link, host)
        }
        known[host] = address
        return address
    }

    private func unknown(_ link: String, _ host: String) -> ControlError {
        ControlError(
            code: "link-address-unknown",
            message:
                "link '\(link)' needs an address of \(host), and none is to be found: 'fermata host ls' shows by which "
                + "names hosts were added",
            exitCode: 3
        )
    }
}
