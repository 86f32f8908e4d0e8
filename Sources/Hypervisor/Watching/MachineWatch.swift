import HostClock
import HypervisorAPI
import QMP
import Time

/// Tells what one machine does by itself, as long as its process lives.
struct MachineWatch: Sendable {
    private static let pause: Duration = .milliseconds(20)
    /// Before a monitor that does not answer is tried again.
    private static let retry: Duration = .seconds(1)

    let machine: LifetimeManager
    let tell: @Sendable (MachineSign) async -> Void

    func followEvents() async {
        while !Task.isCancelled, machine.isAlive {
            guard let monitor = try? await machine.monitor() else {
                try? await Task.sleep(for: Self.retry)
                continue
            }
            let events = monitor.events()
            // What it stands still for was told to somebody else, or to nobody.
            if let state = try? await machine.runState(), let event = GuestEvent(state) { await befell(event, at: nil) }
            while !Task.isCancelled, let event = await events.next() {
                if let befallen = GuestEvent(event) { await befell(befallen, at: event.timestamp) }
            }
        }
    }

    func follow(_ log: SerialTail) async {
        var log = log
        while !Task.isCancelled {
            // Asked first: what it says last is read, too.
            let isAlive = machine.isAlive
            while !Task.isCancelled, let bytes = log.next() { await told(.said(bytes, port: log.port), at: nil) }
            guard isAlive else { return }
            try? await Task.sleep(for: Self.pause)
        }
    }

    private func befell(_ event: GuestEvent, at instant: HostInstant?) async { await told(.befell(event), at: instant) }

    private func told(_ what: MachineSign.What, at instant: HostInstant?) async {
        guard !Task.isCancelled else { return }
        let at = instant ?? machine.surroundings.clock.now()
        await tell(MachineSign(machine: machine.name.machine, at: at, what: what))
    }
}
