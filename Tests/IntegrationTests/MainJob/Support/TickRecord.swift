/// One line of the bare-metal guest `qemu-fixtures/ticker`, which says one each second.
struct TickRecord: Decodable {
    var event: String
    var board: String
    /// Counts from 1.
    var tick: Int64
    /// PL031 or Goldfish.
    var rtcNs: Int64
    /// The ARM generic counter or RISC-V's mtime, by which it sleeps.
    var counterNs: Int64
}
