import HypervisorAPI
import PrometheusText
import Synchronization
import Time

extension ControlInstance {
    func count(_ report: OperationReport) { state.withLock { $0.metrics.record(report) } }

    /// All metrics, in the Prometheus exposition format 0.0.4. Hosts that do not answer in time are told as not there.
    public func metrics() async throws(ControlError) -> String {
        var families = [try await simulationStates(), checkpointBytes()]
        families += state.withLock { $0.metrics.families }
        families += await hostMetrics()
        return families.map(\.text).joined()
    }

    private func simulationStates() async throws(ControlError) -> MetricFamily {
        let states = try await simulations().map(\.state)
        var family = MetricFamily("fermata_simulations", .gauge, "Simulations, by what they are doing.")
        for state in SimulationState.allCases {
            family.add(Double(states.count { $0 == state }), MetricLabel("state", state.rawValue))
        }
        return family
    }

    private func checkpointBytes() -> MetricFamily {
        var family = MetricFamily("fermata_checkpoint_bytes", .gauge, "What all checkpoints take of this host's disk.")
        family.add(Double(DiskUse.bytes(of: checkpointSet.folder)))
        return family
    }

    private func hostMetrics() async -> [MetricFamily] {
        var up = MetricFamily("fermata_host_up", .gauge, "1: the host answers.")
        var drained = MetricFamily("fermata_host_drained", .gauge, "1: the host takes no new machines.")
        var machines = MetricFamily("fermata_host_machines", .gauge, "Machines of simulations that live on the host.")
        var free = MetricFamily("fermata_host_free_bytes", .gauge, "Room for checkpoints on the host.")
        var bound = MetricFamily(
            "fermata_host_clock_error_bound_seconds",
            .gauge,
            "How far the host's clock may be from true time, as its discipline tells; none tells nothing."
        )
        let answers = await within(options.metricsPatience) { (try? await self.hosts()) ?? [] } ?? []
        let byName = Dictionary(answers.map { ($0.name, $0) }) { first, _ in first }
        for name in [ownHost] + state.withLock({ $0.added.keys.sorted() }) {
            let host = MetricLabel("host", name)
            let answer = byName[name]
            let isUp = answer.map { $0.state != .unreachable } ?? false
            up.add(isUp ? 1 : 0, host)
            guard let answer else { continue }
            drained.add(answer.state == .drained ? 1 : 0, host)
            machines.add(Double(answer.machines), host)
            if let bytes = answer.description?.freeBytes { free.add(Double(bytes), host) }
            if let span = answer.description?.clockErrorBound { bound.add(span.seconds, host) }
        }
        return [up, drained, machines, free, bound]
    }
}
