import HypervisorAPI

/// The links of one launch: our ends of every cable, until the machines have theirs and what was on its way is delivered.
struct LinkCables: Sendable {
    let pairs: [LinkPair]
    private let traffic: [LinkTraffic]

    /// - Parameter machines: those of this host.
    init(_ links: [LinkSpec], among machines: Set<String>, traffic: [LinkTraffic]) throws(HypervisorError) {
        var pairs: [LinkPair] = []
        for link in links {
            let pair = try LinkPair(link, among: machines)
            try LinkReplay.prime(pair, with: traffic)
            pairs.append(pair)
        }
        self.pairs = pairs
        self.traffic = traffic
    }

    /// When all monitors answer and nothing is loaded yet.
    func deliver() async throws(HypervisorError) {
        for pair in pairs {
            try await LinkReplay.deliver(pair, traffic)
            try pair.join()
        }
    }
}
