import HypervisorAPI

/// What is in the way of saving machines, told before anything is taken.
enum SaveObstacles {
    static func all(
        to machines: [LifetimeManager],
        of simulation: String,
        into folder: String,
        in surroundings: Surroundings
    ) async -> [Reason] {
        // Checks of resources may take their time: beside looking at the machines.
        async let unheld = brokenResources(of: simulation, in: surroundings)
        var found = ReasonList()
        let ofMachines = await machines.gatherResults { (machine) async throws(HypervisorError) in
            await MachineSaving.obstacles(to: machine)
        }
        for case .success(let reasons) in ofMachines { found.add(reasons) }
        found.attempt { () throws(HypervisorError) in
            try CheckpointFolder(path: folder).refuseUnlessRoom(
                for: machines.reduce(0) { $0 + MachineSaving.estimatedBytes(of: $1) }
            )
        }
        found.add(await unheld)
        return found.reasons
    }

    /// A simulation is not worth keeping whose VPN is gone: its machines would be saved in the middle of finding that out.
    private static func brokenResources(of simulation: String, in surroundings: Surroundings) async -> [Reason] {
        do throws(HypervisorError) {
            return try await surroundings.resources(of: simulation).check()
        } catch {
            return error.reasons
        }
    }
}
