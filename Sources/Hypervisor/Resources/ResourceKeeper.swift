import Glibc
import HypervisorAPI
import Logging
import Time

/// Holds a simulation's resources: acquires them in order, gives them back in reverse, and knows on disk what it holds.
///
/// One is made for each simulation ahead of any operation, so that at an instant nothing of this happens. Commands run without
/// a shell, with `FERMATA_SIMULATION` and `FERMATA_RESOURCE` in their environment.
actor ResourceKeeper {
    private let path: String
    private let simulation: String
    private var held: HeldResources
    /// Operations follow one another even when callers do not wait for each other.
    private var tail: Task<Void, Never>?

    /// Reads what an earlier daemon held.
    /// - Parameter folder: absolute, there already; the record is `resources.json` in it.
    init(simulation: String, folder: String) throws(HypervisorError) {
        self.simulation = simulation
        path = "\(folder)/resources.json"
        if access(path, F_OK) == 0 {
            held = try DurableFile.read(HeldResources.self, from: path)
        } else {
            held = HeldResources(simulation: simulation)
        }
    }

    /// Names, in the order in which they were acquired.
    var heldNames: [String] { held.entries.map(\.spec.name) }

    /// Makes sure that all are held. Those that are held already stay as they are.
    /// - Throws: when one cannot be acquired; those acquired by this call have been given back then, and a release that failed
    ///   is among the reasons.
    func acquire(_ specs: [ResourceSpec]) async throws(HypervisorError) {
        try await inTurn { (keeper) async throws(HypervisorError) in try await keeper.acquireAll(specs) }
    }

    /// Gives back all that is held, the last first. Nothing stops it: what cannot be released is dropped from the books and told.
    /// - Returns: why releases failed.
    @discardableResult
    func releaseAll() async -> [Reason] {
        do throws(HypervisorError) {
            return try await inTurn { (keeper) async throws(HypervisorError) in await keeper.release(keeping: []) }
        } catch {
            return error.reasons
        }
    }

    /// Runs the check command of each that is held and has one.
    /// - Returns: why checks failed; empty when all is well.
    func check() async -> [Reason] {
        var reasons: [Reason] = []
        for entry in held.entries {
            guard let command = entry.spec.check, let reason = await run(command, "check", entry.spec) else { continue }
            reasons.append(reason)
        }
        return reasons
    }

    private func acquireAll(_ specs: [ResourceSpec]) async throws(HypervisorError) {
        let before = Set(heldNames)
        for spec in specs where !heldNames.contains(spec.name) {
            held.entries.append(HeldResources.Entry(spec: spec, state: .acquiring))
            var failure: Reason?
            do throws(HypervisorError) {
                try save()
                failure = await run(spec.acquire, "acquire", spec)
            } catch {
                failure = error.reasons.first
            }
            if let failure {
                // A command that failed half way may hold something: releasing must be harmless then, and is what is left to do.
                throw HypervisorError([failure] + (await release(keeping: before)))
            }
            held.entries[held.entries.count - 1].state = .held
            do throws(HypervisorError) {
                try save()
            } catch {
                throw HypervisorError(error.reasons + (await release(keeping: before)))
            }
        }
    }

    private func release(keeping kept: Set<String>) async -> [Reason] {
        var reasons: [Reason] = []
        for entry in held.entries.reversed() where !kept.contains(entry.spec.name) {
            // Not the caller's task: cancelling an operation must not leave its resources held.
            let release = Task.detached { await self.run(entry.spec.release, "release", entry.spec) }
            if let reason = await release.value { reasons.append(reason) }
            held.entries.removeAll { $0.spec.name == entry.spec.name }
            do throws(HypervisorError) {
                try save()
            } catch {
                reasons += error.reasons
            }
        }
        return reasons
    }

    private nonisolated func run(_ arguments: [String], _ verb: String, _ spec: ResourceSpec) async -> Reason? {
        let command = ShortCommand(
            arguments: arguments,
            environment: ["FERMATA_SIMULATION": simulation, "FERMATA_RESOURCE": spec.name],
            timeout: spec.timeout
        )
        do throws(HypervisorError) {
            _ = try await command.runSuccessfully()
            return nil
        } catch {
            let cause = error.reasons.first?.code ?? "command-failed"
            return Reason(
                code: "resource-\(verb)-failed",
                message:
                    "the resource '\(spec.name)' could not be \(Self.participle[verb] ?? verb) (\(cause)): \(error)"
            )
        }
    }

    private static let participle = ["acquire": "acquired", "release": "released", "check": "checked"]

    private func save() throws(HypervisorError) {
        if held.entries.isEmpty {
            try DurableFile.remove(path)
        } else {
            try DurableFile.write(held, to: path)
        }
    }

    private func inTurn<Result: Sendable>(
        _ body: @escaping @Sendable (isolated ResourceKeeper) async throws(HypervisorError) -> Result
    ) async throws(HypervisorError) -> Result {
        let previous = tail
        let work = Task { () async -> Swift.Result<Result, HypervisorError> in
            await previous?.value
            do throws(HypervisorError) {
                return .success(try await body(self))
            } catch {
                return .failure(error)
            }
        }
        tail = Task { _ = await work.value }
        let result = await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            work.cancel()
        }
        return try result.get()
    }
}
