/// How much those who come by the doors may have open at once: what is held open must not take the descriptors of machines.
struct DoorLimits: Sendable {
    /// Of one door.
    var connections = 2048
    /// Of those, from one address. Enough for a host's batch of copies; eight addresses can take all.
    var connectionsOfOneAddress = 256
    /// Streams of events and of what serial ports say, of one token or browser's session.
    var streams = 128
}
