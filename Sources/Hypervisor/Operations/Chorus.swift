import HostClock
import HypervisorAPI
import QMP
import Time

/// One command for many machines, leaving for all of them at one instant.
struct Chorus: Sendable {
    /// What came of it for one machine.
    struct Answer: Sendable {
        var machine: String
        var sentAt: HostInstant?
        /// QEMU's own stamp on the event.
        var happenedAt: HostInstant?
        var failure: Reason?
    }

    enum Outcome: Sendable {
        /// The command left. Some machines may nevertheless have failed.
        case sung([Answer])
        /// Nothing was sent to anybody.
        case silent(Reason)
    }

    private struct Voice: Sendable {
        var machine: LifetimeManager
        var prepared: PreparedCommand
        var events: QMPEvents
    }

    /// A machine whose main loop is blocked by a slow disk answers late; longer than this it hangs.
    private static let answerTime = Span.seconds(30)
    /// The thread that ran later than this would stop the machines at another instant than the agreed one.
    private static let tolerance = Span.milliseconds(250)
    /// The same when nobody named the instant.
    private static let patience = Span.seconds(5)
    /// For the deadline's thread to be ready.
    private static let soon = Span.milliseconds(10)

    private let command: InstantCommand
    private let voices: [Voice]
    private let volley: ArmedVolley
    private let clock: any RealtimeClock

    /// Serialises the command for each machine, reserves their monitors, and arms the deadline.
    /// - Parameter flexible: nobody named the instant: on a host that is too busy for it the command leaves as soon after it as it can,
    ///   and the report says how late.
    static func arm(
        _ command: InstantCommand,
        for machines: [LifetimeManager],
        at instant: HostInstant,
        flexible: Bool = false,
        in surroundings: Surroundings
    ) async throws(HypervisorError) -> Chorus {
        var voices: [Voice] = []
        var shots: [Shot] = []
        do throws(HypervisorError) {
            for machine in machines {
                let monitor = try await machine.monitor()
                let events = monitor.events()
                let prepared = try await prepare(command, on: monitor, of: machine)
                voices.append(Voice(machine: machine, prepared: prepared, events: events))
                shots.append(
                    Shot(descriptor: prepared.descriptor, bytes: prepared.bytes, lead: await machine.lead(of: command))
                )
            }
            var deadline = instant
            if flexible {
                let soonest = surroundings.clock.now() + soon + (shots.map(\.lead).max() ?? .zero)
                deadline = max(instant, soonest)
            }
            let volley = try arm(
                Volley(shots),
                at: deadline,
                tolerance: flexible ? patience : tolerance,
                in: surroundings
            )
            return Chorus(command: command, voices: voices, volley: volley, clock: surroundings.clock)
        } catch {
            for voice in voices { voice.prepared.abandon() }
            throw error
        }
    }

    /// Keeps the command from leaving, unless it is too late for that; ``outcome()`` tells.
    func cancel() { _ = volley.cancel() }

    /// The instant is still to come. Until then nobody else can say anything to these machines: their monitors have all but the end of the
    /// command.
    var isWaiting: Bool { volley.isArmed }

    /// Waits until the commands have left, or will not.
    func fired() async { _ = await volley.fired() }

    /// Waits for the instant and for what every machine makes of it.
    func outcome() async -> Outcome {
        let report = await volley.fired()
        guard case .fired = report.outcome else {
            for voice in voices { voice.prepared.abandon() }
            return .silent(Self.reason(for: report.outcome, of: command))
        }
        return .sung(
            await withTaskGroup { group in
                for (voice, shot) in zip(voices, report.shots) {
                    group.addTask { await answer(of: voice, to: shot) }
                }
                return await group.reduce(into: []) { $0.append($1) }.sorted { $0.machine < $1.machine }
            }
        )
    }

    private func answer(of voice: Voice, to shot: ShotReport) async -> Answer {
        var answer = Answer(machine: voice.machine.name.machine, sentAt: shot.writtenAt)
        if let failure = shot.failure {
            voice.prepared.abandon()
            answer.failure = Reason(
                code: "machine-unreachable",
                machine: answer.machine,
                message: "\(command.rawValue) did not reach its monitor: \(failure)"
            )
            return answer
        }
        voice.prepared.didSend()
        do throws(QMPError) {
            _ = try await voice.prepared.reply(timeout: Self.answerTime)
        } catch {
            answer.failure = HypervisorError(error, machine: answer.machine).reasons.first
            return answer
        }
        // QEMU emits the event before it answers, so it is in the buffer by now if it is ever to come.
        answer.happenedAt = await stamp(in: voice.events, since: shot.writtenAt)
        if let sentAt = answer.sentAt, let happenedAt = answer.happenedAt {
            await voice.machine.learn(command, sentAt: sentAt, stampedAt: happenedAt)
        } else {
            answer.failure = Reason(
                code: "machine-did-not-follow",
                machine: answer.machine,
                message: "it answered \(command.rawValue) but sent no \(command.event): it was not in a state to follow"
            )
        }
        return answer
    }

    private func stamp(in events: QMPEvents, since start: HostInstant?) async -> HostInstant? {
        await withTimeLimit(.seconds(1)) {
            for await event in events where event.name == command.event {
                // The stamp is in whole microseconds, rounded down.
                guard let start, let stamp = event.timestamp, stamp + .microseconds(1) >= start else { continue }
                return stamp
            }
            return nil
        }
    }

    private static func prepare(
        _ command: InstantCommand,
        on monitor: QMPConnection,
        of machine: LifetimeManager
    ) async throws(HypervisorError) -> PreparedCommand {
        do throws(QMPError) {
            return try await monitor.prepare(command.command)
        } catch {
            throw HypervisorError(error, machine: machine.name.machine)
        }
    }

    private static func arm(
        _ volley: Volley,
        at instant: HostInstant,
        tolerance: Span,
        in surroundings: Surroundings
    ) throws(HypervisorError) -> ArmedVolley {
        do throws(DeadlineError) {
            return try surroundings.deadlines.arm(volley, at: instant, tolerance: tolerance)
        } catch .tooLate(let lateness) {
            throw HypervisorError(
                code: "instant-too-near",
                message: "\(instant) is too near: its commands were due \(lateness) ago when all was ready"
            )
        } catch {
            throw HypervisorError(code: "deadline-not-armed", message: "\(error)")
        }
    }

    private static func reason(for outcome: VolleyReport.Outcome, of command: InstantCommand) -> Reason {
        switch outcome {
        case .fired:
            Reason(code: "internal", message: "the command left")
        case .cancelled:
            Reason(code: "cancelled", message: "the operation was cancelled before its instant")
        case .clockStepped:
            Reason(
                code: "clock-stepped",
                message: "the host's clock was set while the operation was armed, so no \(command.rawValue) was sent"
            )
        case .missed(let lateness):
            Reason(
                code: "instant-missed",
                message: "this host got to run \(lateness) after the instant, so no \(command.rawValue) was sent"
            )
        }
    }
}
