public import HypervisorAPI

/// What there is to tell of a serial port that is followed.
public enum SerialNews: Hashable, Sendable {
    case output(SerialChunk)
    /// It has become so. Whoever has not been told any is connected.
    case state(SerialState)
    /// Nothing for a while.
    case silence
}
