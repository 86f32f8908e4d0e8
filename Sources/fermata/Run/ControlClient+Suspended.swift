import ControlInstance

extension ControlClient {
    /// The checkpoint that it is suspended to.
    /// - Throws: when it is not suspended: what runs cannot be copied without a checkpoint, which is for its owner to make.
    func checkpoint(ofSuspended simulation: String) async throws -> String {
        let summary = try await get(SimulationDetail.self, "/v1/simulations/\(simulation)").value.summary
        if summary.state == .suspended, let checkpoint = summary.checkpoint { return checkpoint }
        throw CommandFailure(
            .refused,
            code: "checkpoint-not-named",
            "\(simulation) is \(summary.state.rawValue): name the checkpoint to begin with, \(simulation)@NAME "
                + "('fermata log \(simulation)' lists them, 'fermata checkpoint \(simulation)' makes one of what runs)"
        )
    }
}
