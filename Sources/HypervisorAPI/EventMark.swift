/// How far what befell a machine has been read.
public struct EventMark: Codable, Hashable, Sendable {
    /// Of one process of the machine, as one daemon has heard it.
    public var log: String
    /// Of the last event that was read; events count from 1.
    public var number: UInt64

    public init(log: String, number: UInt64) {
        self.log = log
        self.number = number
    }
}
