import HypervisorAPI
import Time

/// What a hypervisor must know of an operation to finish or undo it after it was killed in the middle.
///
/// Written before the first thing that would need undoing, removed after the last.
struct JournalEntry: Codable, Hashable {
    enum Phase: String, Codable {
        /// Things are taken, nothing has happened to a machine that was there before.
        case preparing
        /// The instant may have passed by itself.
        case armed
        /// Told to commit, not through with it.
        case committing
        /// Told to roll back, not through with it.
        case rollingBack
    }

    var operation: OperationID
    var kind: OperationKind
    var simulation: String
    var machines: [String]
    var phase: Phase
    /// Of the checkpoint that is being made; nil unless the kind saves.
    var folder: String?
    /// What the folder is called once the checkpoint is whole.
    var finalFolder: String?
    var instant: HostInstant?

    func noting(_ phase: Phase, at instant: HostInstant? = nil) -> JournalEntry {
        var noted = self
        noted.phase = phase
        noted.instant = instant ?? self.instant
        return noted
    }
}
