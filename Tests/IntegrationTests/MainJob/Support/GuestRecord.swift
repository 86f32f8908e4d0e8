import FoundationEssentials
import Time

/// One line of JSON that a guest of `qemu-fixtures` says on its first serial line: Linux, or the ticker.
struct GuestRecord: Decodable, Sendable {
    var event: String
    var tag: String
    var sequence: Int64
    var lines: Int64
    var gaps: Int64
    var connections: Int64
    var closed: Bool
    var rtcNs: Int64
    var wallNs: Int64
    var uptimeNs: Int64
    var retransmits: Int64
    /// Of `disk`: how many there are, the line number last written to them, and the one found on all.
    var disks: Int?
    var written: Int64?
    var read: Int64?
    /// Of `ready`: what the disk said at boot.
    var diskBefore: Int64?

    private enum CodingKeys: String, CodingKey {
        case event, tag, sequence, lines, gaps, connections, closed, rtcNs, wallNs, uptimeNs, retransmits
        case disks, written, read, diskBefore
    }

    /// - Returns: nil for anything that is no whole record: the kernel's own words, half a line.
    static func parse(_ line: some Collection<UInt8>) -> GuestRecord? {
        let data = Data(line)
        if let record = try? JSONDecoder().decode(GuestRecord.self, from: data) { return record }
        return (try? JSONDecoder().decode(TickRecord.self, from: data)).map { GuestRecord($0) }
    }

    /// The ticker has one counter, which stands for what Linux has of its clocksource.
    private init(_ tick: TickRecord) {
        event = tick.event
        tag = tick.board
        (sequence, lines) = (tick.tick, tick.tick)
        (gaps, connections, closed, retransmits) = (0, 0, false, 0)
        rtcNs = tick.rtcNs
        (wallNs, uptimeNs) = (tick.counterNs, tick.counterNs)
    }

    /// All whole records of a serial line's log.
    /// - Parameter start: bytes to leave out.
    static func log(at path: String, from start: Int = 0) throws -> [GuestRecord] {
        try TemporaryFolder.contents(of: path).dropFirst(start).split(separator: UInt8(ascii: "\n")).compactMap {
            parse($0)
        }
    }
}

/// A reading of a guest's clocks, with the times of this host between which the guest made it.
struct ClockSample: Sendable {
    var record: GuestRecord
    var askedAt: HostInstant
    var answeredAt: HostInstant
}
