import HostClock
import HypervisorAPI
import Synchronization
import Time

/// What its machines do by themselves is what a test says that they do.
extension ScriptedHypervisor: MachineWatcher {
    struct Watcher: Sendable {
        var machines: Set<String>
        var simulation: String
        var signs: AsyncStream<MachineSign>.Continuation
    }

    func watch(
        _ machines: [String],
        of simulation: String,
        _ tell: @escaping @Sendable (MachineSign) async -> Void
    ) async {
        let (stream, continuation) = AsyncStream.makeStream(of: MachineSign.self)
        let key = world.withLock { world -> Int in
            for sign in world.signs["\(simulation)"] ?? [] where machines.contains(sign.machine) {
                continuation.yield(sign)
            }
            world.nextWatcher += 1
            world.watchers[world.nextWatcher] = Watcher(
                machines: Set(machines),
                simulation: simulation,
                signs: continuation
            )
            return world.nextWatcher
        }
        for await sign in stream where !Task.isCancelled { await tell(sign) }
        world.withLock { _ = $0.watchers.removeValue(forKey: key) }
    }

    /// What is said is told to who comes later, too.
    func says(_ machine: String, _ text: String, of simulation: String = "sim") {
        let sign = MachineSign(machine: machine, at: .now, what: .said(Array(text.utf8), port: 0))
        world.withLock { $0.signs[simulation, default: []].append(sign) }
        tell(sign, of: simulation)
    }

    func befalls(_ machine: String, _ event: GuestEvent, of simulation: String = "sim") {
        tell(MachineSign(machine: machine, at: .now, what: .befell(event)), of: simulation)
    }

    func isWatched(_ simulation: String = "sim") -> Bool {
        world.withLock { $0.watchers.values.contains { $0.simulation == simulation } }
    }

    private func tell(_ sign: MachineSign, of simulation: String) {
        world.withLock { world in
            for watcher in world.watchers.values
            where watcher.simulation == simulation && watcher.machines.contains(sign.machine) {
                watcher.signs.yield(sign)
            }
        }
    }
}
