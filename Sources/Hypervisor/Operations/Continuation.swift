import HostClock
import HypervisorAPI
import Logging
import QMP
import Time

/// Lets machines that stand still go on: at one instant where that can be had, and otherwise each by itself, since no machine is to
/// stand still for the sake of a common instant.
enum Continuation {
    /// - Parameters:
    ///   - wanted: not before it; later when arming takes longer.
    ///   - lead: from now to the instant at least.
    ///   - leaving: called once, as soon as the commands have left.
    /// - Returns: an answer for each machine, in no order; with a failure for those that still stand still.
    static func goOn(
        _ machines: [LifetimeManager],
        at wanted: HostInstant,
        lead: Span,
        in surroundings: Surroundings,
        leaving: @Sendable () -> Void = {}
    ) async -> [Chorus.Answer] {
        guard !machines.isEmpty else { return [] }
        let answers = await together(machines, at: wanted, lead: lead, in: surroundings, leaving: leaving)
        let behind = machines.filter { machine in
            !answers.contains { $0.machine == machine.name.machine && $0.failure == nil }
        }
        guard !behind.isEmpty else { return answers }
        let alone = await withTaskGroup { group in
            for machine in behind { group.addTask { await machine.goOnAlone() } }
            return await group.reduce(into: [Chorus.Answer]()) { $0.append($1) }
        }
        return answers.filter { answer in !alone.contains { $0.machine == answer.machine } } + alone
    }

    private static func together(
        _ machines: [LifetimeManager],
        at wanted: HostInstant,
        lead: Span,
        in surroundings: Surroundings,
        leaving: @Sendable () -> Void
    ) async -> [Chorus.Answer] {
        do throws(HypervisorError) {
            // A machine's command leaves earlier by its own lead.
            var leads = Span.zero
            for machine in machines { leads = max(leads, await machine.lead(of: .cont)) }
            let instant = max(wanted, surroundings.clock.now() + lead + leads)
            let chorus = try await Chorus.arm(.cont, for: machines, at: instant, in: surroundings)
            await chorus.fired()
            leaving()
            if case .sung(let answers) = await chorus.outcome() { return answers }
        } catch {
            leaving()
            surroundings.logger.notice("no common instant to go on at: \(error)")
        }
        return []
    }
}

extension LifetimeManager {
    /// Sends `cont` now, and sees to it that the machine runs.
    fileprivate func goOnAlone() async -> Chorus.Answer {
        var answer = Chorus.Answer(machine: name.machine)
        do throws(HypervisorError) {
            let monitor = try await monitor()
            let events = monitor.events()
            do throws(QMPError) {
                try await monitor.cont()
            } catch {
                throw HypervisorError(error, machine: name.machine)
            }
            let state = try await runState()
            guard state == .running else {
                throw HypervisorError(
                    code: "machine-did-not-follow",
                    machine: name.machine,
                    message: "it was told to go on and is \(state)"
                )
            }
            answer.happenedAt = await withTimeLimit(.milliseconds(100)) {
                for await event in events where event.name == InstantCommand.cont.event { return event.timestamp }
                return nil
            }
        } catch {
            answer.failure = error.reasons.first
        }
        return answer
    }
}
