import ControlInstance
import NIOHTTP1

/// What `label` and `note` send.
struct AnnotateBody: Encodable {
    /// Those with nil are taken away.
    var labels: [String: String?]?
    var note: String?

    /// Sends it, and says what is known of the checkpoint then.
    func send(for target: CheckpointName, _ session: Session) async throws {
        let path = "/v1/simulations/\(target.simulation)/checkpoints/\(try target.requireCheckpoint())"
        let answer = try await session.client().send(.PATCH, path, body: try JSONText.encode(self))
        session.show(try Received<CheckpointSummary>(answer)) { summary in
            let labels = LabelText.words(summary.labels)
            session.terminal.print("\(target): \(labels.isEmpty ? "no labels" : labels)")
            if let note = summary.note { session.terminal.print(note) }
        }
    }
}
