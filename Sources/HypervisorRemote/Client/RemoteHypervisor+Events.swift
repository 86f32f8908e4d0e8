public import HypervisorAPI
import Time

extension RemoteHypervisor {
    /// Beyond what the host itself waits.
    private static let eventPatience = Span.seconds(10)

    public func readEvents(
        of machine: MachinePlace,
        after mark: EventMark?
    ) async throws(HypervisorError) -> EventChunk {
        let question = EventQuestion(machine: machine, after: mark)
        var chunk = try await listening.call(
            .readEvents,
            question,
            patience: EventChunk.patience + Self.eventPatience
        )
        guard chunk.isSound else {
            throw HypervisorError(
                code: "message-invalid",
                machine: machine.machine,
                message: "what host \(host) sent is nothing that can have befallen a machine"
            )
        }
        guard !chunk.events.isEmpty else { return chunk }
        let time = await clock.estimate()
        chunk.events = chunk.events.map { EventChunk.Entry($0.event, at: time.ours($0.at)) }
        return chunk
    }
}
