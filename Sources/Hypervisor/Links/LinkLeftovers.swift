import CShims
import Glibc
import HypervisorAPI
import Time

/// What a stopped machine has not read from its links.
///
/// It is looked at through a duplicate of the machine's own descriptor and left where it is. That is what makes a rollback need
/// nothing: the machine finds everything in its place and in its order. And a sender that waits for room keeps waiting, so what
/// it has not sent stays part of its own state and is not in two places.
enum LinkLeftovers {
    struct Found: Hashable, Sendable {
        var traffic: LinkTraffic
        /// Why not everything could be looked at; for the report.
        var notes: [String]
    }

    /// Milliseconds: twice what two hosts' clocks may differ by unless more is allowed, and a network's delay.
    private static let transit = 20

    /// All links of one machine. To be called when every machine of the simulation has stopped and ``settle(_:timeout:)`` has
    /// returned, before the first process ends.
    static func collect(_ record: MachineRecord) async -> [Found] {
        if record.adopted {
            return []
        }
        return await BlockingThread.run { record.links.map { look(at: $0, of: record) } }
    }

    /// Waits until what lies in the machine's links has stopped changing: a stopped QEMU still moves a few bytes into its serial
    /// port's own buffer, and they are saved with the machine then.
    /// - Parameter turn: has QEMU's main loop go round between two looks, in which it reads what it still will. On a busy host nothing moves
    ///   for longer than any pause, and then it does.
    /// - Returns: false: the time is over and something still moves.
    static func settle(
        _ record: MachineRecord,
        timeout: Span,
        turn: @Sendable () async -> Void = {}
    ) async -> Bool {
        guard !record.links.isEmpty else { return true }
        if record.links.contains(where: { $0.leavesHost == true }) {
            // The other host sends until its own stop, and its last frames are still on their way.
            try? await Task.sleep(for: .milliseconds(transit))
        }
        let deadline = MonotonicDeadline(after: timeout)
        var last: [Found]?
        var equal = 0
        var looks = 0
        while equal < 3 {
            let now = await collect(record)
            looks += 1
            if now.allSatisfy(\.traffic.isEmpty) && last != nil { return true }
            equal = now == last ? equal + 1 : 0
            last = now
            // A host so busy that it took all the time to look a few times has not seen anything move for that.
            if deadline.hasPassed && looks > 8 { return false }
            await turn()
            try? await Task.sleep(for: .milliseconds(4))
        }
        return true
    }

    private static func look(at end: MachineRecord.LinkEnd, of record: MachineRecord) -> Found {
        var found = Found(
            traffic: LinkTraffic(link: end.link, kind: end.kind, towards: record.name, frames: []),
            notes: []
        )
        guard let process = record.identity.open() else {
            found.notes.append("\(record.name) has ended; what was on its way in link '\(end.link)' is lost")
            return found
        }
        let number = fermata_pidfd_getfd(process.number, end.descriptor)
        guard number >= 0 else {
            let why = String(cString: strerror(-number))
            found.notes.append(
                "what was on its way to \(record.name) in link '\(end.link)' cannot be looked at: \(why)"
            )
            return found
        }
        let socket = OwnedDescriptor(number)
        guard let frames = SocketQueue.peek(socket, datagrams: end.kind == .dgram) else {
            let why = String(cString: strerror(errno))
            found.notes.append("what was on its way to \(record.name) in link '\(end.link)' cannot be read: \(why)")
            return found
        }
        found.traffic.frames = frames
        if end.kind == .stream, let bytes = frames.first {
            let whole = StreamFraming.wholeFrames(in: bytes)
            found.traffic.frames = whole.isEmpty ? [] : [whole]
            if whole.count < bytes.count {
                found.notes.append(
                    "\(bytes.count - whole.count) bytes of a frame cut in two were dropped from link '\(end.link)' "
                        + "towards \(record.name)"
                )
            }
        }
        return found
    }
}
