/// Let a simulation go back to one of its checkpoints.
public struct RewindRequest: Codable, Hashable, Sendable {
    /// What becomes of what runs now.
    public enum Keeping: Codable, Hashable, Sendable {
        /// It is suspended to a checkpoint of that name; nil: the next free of `s1`, `s2`…
        case checkpoint(String?)
        /// Its machines are ended, and it is lost.
        case nothing
    }

    /// To which checkpoint, which has to be named, and with which clocks. Of a simulation that runs, `when` is the instant at which
    /// it stops; it goes on from the checkpoint as soon as every hypervisor can.
    public var resume: ResumeRequest
    public var keeping: Keeping

    public init(_ resume: ResumeRequest, keeping: Keeping = .checkpoint(nil)) {
        self.resume = resume
        self.keeping = keeping
    }
}
