/// How a step, a combination or a batch ended.
package enum Outcome: String, Codable, Hashable, Sendable {
    case passed
    /// Something was not as the file says that it has to be.
    case failed
    /// A step could not be done.
    case error
    /// Something before it has failed, or it was called off.
    case skipped
}
