import HypervisorAPI
import Time

/// Tells what one machine does by itself, on whichever host it is, from the beginning of its process to its end.
struct MachineFollower: Sendable {
    private static let longestPause: Duration = .seconds(8)

    let machine: MachinePlace
    /// Serial ports that somebody listens to.
    let ports: Set<Int>
    /// nil: its host is not known now.
    let hypervisor: @Sendable () -> (any Hypervisor)?
    let now: @Sendable () -> HostInstant
    /// Whether somebody waits for more of a port; of events: nil.
    let isWanted: @Sendable (Int?) -> Bool
    /// While it has not returned, nothing more is told of the same port, or of events.
    let tell: @Sendable (MachineSign) async -> Void
    /// What is in the way of asking its host, each time that this is something else; nil: nothing any more.
    let trouble: @Sendable ([Reason]?) -> Void
    var pace = AskingPace(longest: Self.longestPause)

    func follow() async {
        var asking = Asking(pace)
        guard
            let first = await answer(
                &asking,
                { try await $0.readEvents(of: machine, after: nil) },
                isEmpty: { _ in false }
            )
        else { return }
        await withDiscardingTaskGroup { group in
            group.addTask { [asking] in await followEvents(from: first, asking) }
            for (port, begin) in first.serialBegins where ports.contains(port) {
                group.addTask { await followPort(port, from: begin) }
            }
        }
    }

    private func followEvents(from first: EventChunk, _ asking: Asking) async {
        var (chunk, asking) = (first, asking)
        while true {
            for entry in chunk.events where !Task.isCancelled {
                await tell(MachineSign(machine: machine.machine, at: entry.at, what: .befell(entry.event)))
            }
            guard chunk.runs, isWanted(nil) else { return }
            let mark = chunk.end
            let next = await answer(
                &asking,
                { try await $0.readEvents(of: machine, after: mark) },
                isEmpty: \.events.isEmpty
            )
            guard let next else { return }
            chunk = next
        }
    }

    private func followPort(_ port: Int, from begin: UInt64) async {
        let place = SerialPlace(simulation: machine.simulation, machine: machine.machine, number: port)
        var asking = Asking(pace)
        var offset = begin
        var hasEnded = false
        while isWanted(port) {
            let from = offset
            let chunk = await answer(&asking, { try await $0.readSerial(place, from: from) }, isEmpty: \.bytes.isEmpty)
            guard let chunk else { return }
            offset = chunk.end
            if !chunk.bytes.isEmpty {
                await tell(MachineSign(machine: machine.machine, at: now(), what: .said(chunk.bytes, port: port)))
            }
            // What it said last may have come between the two looks.
            if !chunk.runs, hasEnded, chunk.bytes.isEmpty { return }
            hasEnded = !chunk.runs
        }
    }

    private struct Asking {
        var pace: AskingPace
        var reasons: [Reason]?

        init(_ pace: AskingPace) { self.pace = pace }
    }

    /// Asks until there is an answer; nil: the task was cancelled.
    private func answer<Answer>(
        _ asking: inout Asking,
        _ ask: (any Hypervisor) async throws -> Answer,
        isEmpty: (Answer) -> Bool
    ) async -> Answer? {
        while !Task.isCancelled {
            if let pause = asking.pace.pause() { await asking.pace.sleep(pause) }
            guard !Task.isCancelled else { return nil }
            asking.pace.asks()
            do {
                guard let hypervisor = hypervisor() else {
                    throw HypervisorError(
                        code: "host-not-found",
                        machine: machine.machine,
                        message: "the host on which it runs is not known here now"
                    )
                }
                let answer = try await ask(hypervisor)
                guard !Task.isCancelled else { return nil }
                asking.pace.answered(isEmpty: isEmpty(answer))
                if asking.reasons != nil { trouble(nil) }
                asking.reasons = nil
                return answer
            } catch {
                guard !Task.isCancelled else { return nil }
                asking.pace.failed()
                let reasons = (error as? HypervisorError)?.reasons ?? []
                if asking.reasons != reasons { trouble(reasons) }
                asking.reasons = reasons
            }
        }
        return nil
    }
}
