import HostClock
import HypervisorAPI
import Synchronization
import Time

/// What its machines do by themselves is what a test says that they do.
extension ScriptedHypervisor {
    func readEvents(
        of machine: MachinePlace,
        after mark: EventMark?
    ) async throws(HypervisorError) -> EventChunk {
        let key = "\(machine.simulation)/\(machine.machine)"
        return try await waiting { world in
            // A process of its own begins where the log of its port then ended.
            let begin = world.begins[key] ?? 0
            let all = world.befallen[key] ?? []
            let known = mark?.log == "\(begin)" ? Int(clamping: mark?.number ?? 0) : 0
            let runs = world.machines[key] != nil
            let chunk = EventChunk(
                end: EventMark(log: "\(begin)", number: UInt64(all.count)),
                events: Array(all.dropFirst(known)),
                runs: runs,
                serialBegins: [0: UInt64(begin)]
            )
            return (chunk, mark == nil || !chunk.events.isEmpty || !runs)
        }
    }

    /// As one does that waits for more, if not for ever.
    /// - Parameter look: gives what there is, and whether that is something.
    func waiting<Value: Sendable>(
        _ look: @Sendable (borrowing World) -> (Value, Bool)
    ) async throws(HypervisorError) -> Value {
        world.withLock { $0.questions += 1 }
        var rounds = 0
        while true {
            let (found, isOff, isHasty) = world.withLock { (look($0), $0.isOff, $0.isHasty) }
            if isOff { throw HypervisorError(code: "host-unreachable", message: "\(host) cannot be reached") }
            if found.1 || isHasty || rounds == 400 || Task.isCancelled { return found.0 }
            rounds += 1
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    func says(_ machine: String, _ text: String, of simulation: String = "sim") {
        say(text, "\(simulation)/\(machine)")
    }

    func befalls(_ machine: String, _ event: GuestEvent, of simulation: String = "sim") {
        world.withLock {
            $0.befallen["\(simulation)/\(machine)", default: []].append(EventChunk.Entry(event, at: .now))
        }
    }
}
