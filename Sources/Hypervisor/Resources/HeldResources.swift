import HypervisorAPI

/// What a simulation holds, in the order in which it was acquired; kept on disk so that a restarted daemon gives back exactly
/// that.
struct HeldResources: Codable, Hashable, Sendable {
    enum State: String, Codable, Hashable, Sendable {
        /// The acquiring command was started, and nobody knows yet how it ended: to be released as if held.
        case acquiring
        case held
    }

    struct Entry: Codable, Hashable, Sendable {
        /// As it was when it was acquired: a manifest that changed since must not change what is released.
        var spec: ResourceSpec
        var state: State
    }

    var simulation: String
    var entries: [Entry] = []
}
