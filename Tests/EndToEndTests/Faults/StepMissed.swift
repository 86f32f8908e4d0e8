/// An operation could not be held in the step that was wanted, and nothing was broken.
struct StepMissed: Error {
    let why: String

    /// Whatever goes wrong on the way to a step is this.
    static func unless(_ reach: () async throws -> Void) async throws {
        do {
            try await reach()
        } catch {
            throw StepMissed(why: "\(error)")
        }
    }
}
