import HypervisorAPI

extension ControlInstance {
    /// Forgets a simulation that is down: nothing stands at its checkpoints any more, which stay until they are removed. A later `up` of
    /// that name finds them again.
    /// - Parameter dryRun: only tell.
    /// - Throws: when there is none of that name, it is not down, or the outcome of an operation on it is not known.
    public func forget(_ simulation: String, dryRun: Bool = false) async throws(ControlError) -> ForgetReport {
        try await claiming(simulation, for: "forget") { () throws(ControlError) in
            try await settleOlder(simulation, "forget")
            let record = try await existing(simulation)
            guard record.state == .down else {
                throw ControlError(
                    code: "simulation-not-down",
                    message:
                        "\(simulation) is \(record.state.rawValue): 'fermata down \(simulation)' first, then it can be forgotten",
                    exitCode: 3
                )
            }
            try await refuseElsewhere(record)
            let checkpoints = try await reading { () throws(StoreError) in
                try await self.store.checkpoints(of: simulation)
            }
            if !dryRun { try await writing(StoreChange(removedSimulation: simulation)) }
            return ForgetReport(simulation: simulation, dryRun: dryRun, checkpoints: checkpoints.map(\.name))
        }
    }
}
