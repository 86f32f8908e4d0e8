import HypervisorAPI

/// What a key was first sent with, and the operation that this began, or was to begin. Neither the key nor the request can be read from it.
struct KeyedRequest: Codable, Hashable, Sendable {
    /// Digest of the key and of who sent it: others' keys are other keys.
    let key: String
    /// Digest of who sent it; nil: of an earlier release, which did not keep it.
    var sender: String?
    /// Digest of all that was asked for.
    let request: String
    /// Of several, the first.
    let operation: OperationID
}
