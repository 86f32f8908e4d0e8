import HypervisorAPI
import Time

/// Reads on in what one machine does by itself, as long as its process lives.
struct MachineWatch: Sendable {
    /// Before it is looked at again, when nothing is heard: it may have no monitor, or have ended without a word.
    private static let look = Span.seconds(1)

    let machine: LifetimeManager

    /// Waits until something befalls it, or it ends, but not for ever.
    func next(after mark: EventMark?) async -> EventChunk {
        let log = machine.events
        let deadline = ContinuousClock.now + EventChunk.patience.duration
        while true {
            // A connection that was lost is made again: there is nobody else who would hear it.
            let isKept = await machine.listen()
            let version = log.version
            // Asked first: what it says last is read, too.
            let runs = (isKept && machine.isAlive) || log.isCollecting
            let (end, events) = log.read(after: mark)
            guard events.isEmpty, runs, mark?.log == log.name, ContinuousClock.now < deadline, !Task.isCancelled else {
                return EventChunk(
                    end: end,
                    events: events,
                    runs: runs,
                    serialBegins: machine.record.consoleBegins
                )
            }
            _ = await withTimeLimit(Self.look) {
                await log.change(from: version)
                return true
            }
        }
    }
}

extension MachineRecord {
    /// Where in the logs of its ports that are no links this process began; none of an adopted machine, whose sockets are its owner's.
    fileprivate var consoleBegins: [Int: UInt64] {
        guard !adopted, let log, let end = log.lastIndex(of: "/") else { return [:] }
        let ports = launch.spec.serials.indices.filter { launch.spec.serials[$0] == .log }
        // Where an older daemon started it nobody knows: of what is there nothing is new.
        return Dictionary(
            uniqueKeysWithValues: ports.map { port in
                (
                    port,
                    serialBegins?[port] ?? UInt64(clamping: ProcFile.size(of: "\(log[..<end])/serial\(port).log") ?? 0)
                )
            }
        )
    }
}
