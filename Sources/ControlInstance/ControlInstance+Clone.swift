import HostClock
import HypervisorAPI
import Synchronization
import Time

extension ControlInstance {
    /// Of clones that begin when they can: more at once only wait for each other.
    private static let clonesAtOnce = 4

    /// Lets new simulations go on from a checkpoint. Each is an operation of its own, and may fail alone.
    /// - Throws: when none can even begin: no such checkpoint, its manifest is corrupt (exit code 6), a name is taken or none,
    ///   a count out of range.
    public func clone(_ request: CloneRequest) async throws(ControlError) -> [CloneStarted] {
        let names = try request.names()
        var source = request.source
        // All of them see the same pages, until one writes to its own.
        source.ram = .ephemeral
        guard let checkpoint = source.checkpoint else {
            throw ControlError(
                code: "checkpoint-not-named",
                message: "name the checkpoint to clone, \(source.simulation)@NAME",
                exitCode: 2
            )
        }
        let place = checkpointSet.place(of: checkpoint, simulation: source.simulation)
        try begin(.cloned, place)
        let first = source.operation ?? OperationID.new(at: clock.now())
        let ids = names.indices.map { first.sibling($0) }
        var claimed: [String] = []
        do throws(ControlError) {
            let record = try await checkpointRecord(checkpoint, of: source.simulation)
            let manifest = try checkpointSet.load(place)
            for (name, id) in zip(names, ids) {
                try await claimInTurn(name, .operation(id))
                claimed.append(name)
                try await settleOlder(name, "clone")
            }
            let taken = try await takenNames(names)
            guard taken.isEmpty else { throw ControlError(taken, exitCode: 3) }
            var undertakings: [Undertaking] = []
            var specs: [SimulationSpec] = []
            for (name, id) in zip(names, ids) {
                let clone = Clone(of: manifest, id: record.id, as: name, newMACs: request.newMACs)
                var target = clone.record(at: clock.now())
                target.spec = try await wired(target.spec, hosts: manifest.hosts, beside: specs)
                specs.append(target.spec)
                var plan = try plan(source, from: clone.manifest, at: place, to: target, id)
                plan.notes = clone.notes
                undertakings.append(undertake(plan))
            }
            var lives: [LiveOperation] = []
            for undertaking in undertakings {
                do throws(ControlError) {
                    lives.append(try await enlist(undertaking))
                } catch {
                    for live in lives { live.callOff.call() }
                    for (undertaking, live) in zip(undertakings, lives) { await carryOut(undertaking, live) }
                    claimed.removeFirst(lives.count)
                    throw error
                }
            }
            let all = Array(zip(undertakings, lives))
            let atOnce = source.when == .asap ? Self.clonesAtOnce : all.count
            // Of the instance's own, so that it outlives the request that asked for it.
            Task {
                await self.carryOut(all, atOnce: atOnce)
                self.end(.cloned, place)
            }
        } catch {
            for name in claimed { release(name) }
            end(.cloned, place)
            throw error
        }
        return zip(names, ids).map { CloneStarted(simulation: $0, operation: $1) }
    }

    private func carryOut(_ all: [(Undertaking, LiveOperation)], atOnce limit: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, (undertaking, live)) in all.enumerated() {
                if index >= limit { await group.next() }
                group.addTask { await self.carryOut(undertaking, live) }
            }
        }
    }

    /// A name is free as long as nothing is left that could be mistaken for the clone's.
    private func takenNames(_ names: [String]) async throws(ControlError) -> [Reason] {
        var taken: [Reason] = []
        let places = try checkpointSet.places()
        for name in names {
            let old = try await record(ofSimulation: name)
            let what: String
            if let old, old.state != .down {
                what = "is \(old.state.rawValue) already"
            } else if places.contains(where: { $0.simulation == name }) {
                what = "has checkpoints already, which a clone's would be mixed with"
            } else {
                continue
            }
            taken.append(Reason(code: "simulation-exists", message: "\(name) \(what): clone it to another name"))
        }
        return taken
    }
}
