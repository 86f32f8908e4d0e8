import Synchronization

/// Machines that are booted once, for all tests of this process.
final class BootedLab: Sendable {
    let manifest: String
    private let boot: @Sendable (Simulation) async throws -> Void
    /// By where they were booted; a task that is there is asked again, also when it has failed: a second boot would take as long.
    private let boots = Mutex<[(fermata: Fermata, task: Task<Booted, any Error>)]>([])

    /// What is kept for the copies' sake.
    private struct Booted {
        let simulation: Simulation
        let checkpoint: Checkpoint
    }

    init(_ manifest: String, _ boot: @escaping @Sendable (Simulation) async throws -> Void) {
        self.manifest = manifest
        self.boot = boot
    }

    /// What they were suspended to; booted now, if they have not been.
    func checkpoint(_ fermata: Fermata) async throws -> Checkpoint {
        let task = boots.withLock { boots in
            if let known = boots.first(where: { $0.fermata === fermata }) { return known.task }
            // A task of its own: the test that comes first may be called off, and others want it.
            let task = Task { try await self.begin(fermata) }
            boots.append((fermata, task))
            return task
        }
        return try await task.value.checkpoint
    }

    private func begin(_ fermata: Fermata) async throws -> Booted {
        let simulation = try await fermata.up(manifest)
        let outcome = await FailureWatch().run { () async throws -> Booted in
            try await self.boot(simulation)
            return Booted(simulation: simulation, checkpoint: try await simulation.suspend("booted"))
        }
        if case .failure = outcome.result { await fermata.finish(simulation, failedIn: "the boot of \(manifest)") }
        return try outcome.result.get()
    }
}
