import Glibc
import HypervisorAPI
import Time

/// Puts what was on its way back into a new cable.
///
/// A process that waits for its stream has a fresh serial port, and that takes what is in the cable into a buffer which loading
/// then overwrites. And a machine whose port was waiting for room sends as soon as it is loaded, before it runs. So the fresh
/// port is given padding to fill itself with, and the real bytes go in when it is full and before anything is loaded:
/// they are in front of whatever comes later, and nobody reads them too early.
enum LinkReplay {
    /// Longer than any fresh port's buffer.
    private static let padding = [UInt8](repeating: 0, count: 16384)

    /// Before the machines are started.
    static func prime(_ pair: LinkPair, with traffic: [LinkTraffic]) throws(HypervisorError) {
        for item in traffic where item.link == pair.spec.name && !item.isEmpty {
            guard let (_, writer) = pair.ends(towards: item.towards) else { throw unknown(item) }
            SocketQueue.reserve(item.bytes.count + padding.count, in: writer)
            guard item.kind != .serial || SocketQueue.write([padding], into: writer, datagrams: false) else {
                throw failure(item, "there is no room in the new socket")
            }
        }
    }

    /// When both machines' monitors answer, before either loads its stream.
    static func deliver(
        _ pair: LinkPair,
        _ traffic: [LinkTraffic],
        timeout: Span = .seconds(5)
    ) async throws(HypervisorError) {
        for item in traffic where item.link == pair.spec.name && !item.isEmpty {
            guard let (reader, writer) = pair.ends(towards: item.towards) else { throw unknown(item) }
            if item.kind == .serial {
                try await deliverBytes(item, reader, writer, timeout)
            } else if !SocketQueue.write(item.frames, into: writer, datagrams: item.kind == .dgram) {
                throw failure(item, "there is no room in the new socket")
            } else if pair.spec.leavesHost {
                try await expect(item, in: reader, timeout)
            }
        }
    }

    /// UDP drops what finds no room, and delivers behind the sender's back. The new machine has taken one frame at most.
    private static func expect(
        _ item: LinkTraffic,
        in reader: OwnedDescriptor,
        _ timeout: Span
    ) async throws(HypervisorError) {
        let deadline = MonotonicDeadline(after: timeout)
        while SocketQueue.peek(reader, datagrams: true)?.count ?? 0 < item.frames.count - 1 {
            guard !deadline.hasPassed else {
                throw failure(item, "there is no room in the new socket (sysctl net.core.rmem_max gives more)")
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private static func deliverBytes(
        _ item: LinkTraffic,
        _ reader: OwnedDescriptor,
        _ writer: OwnedDescriptor,
        _ timeout: Span
    ) async throws(HypervisorError) {
        let deadline = MonotonicDeadline(after: timeout)
        repeat {
            _ = await settled(reader, deadline)
            SocketQueue.drain(reader)
            guard SocketQueue.write(item.frames, into: writer, datagrams: false) else {
                throw failure(item, "there is no room in the new socket")
            }
            // The proof that the port is full: it leaves the real bytes alone.
            if await settled(reader, deadline) == item.frames { return }
            SocketQueue.drain(reader)
            guard SocketQueue.write([padding], into: writer, datagrams: false) else {
                throw failure(item, "there is no room in the new socket")
            }
        } while !deadline.hasPassed
        throw failure(item, "the new machine's port keeps reading before its state is loaded")
    }

    private static func settled(_ reader: OwnedDescriptor, _ deadline: MonotonicDeadline) async -> [[UInt8]]? {
        var last = SocketQueue.peek(reader, datagrams: false)
        var equal = 0
        var looks = 0
        while equal < 3, !deadline.hasPassed || looks < 8 {
            looks += 1
            try? await Task.sleep(for: .milliseconds(4))
            let now = SocketQueue.peek(reader, datagrams: false)
            equal = now == last ? equal + 1 : 0
            last = now
        }
        return last
    }

    private static func unknown(_ item: LinkTraffic) -> HypervisorError {
        failure(item, "the link has no such end")
    }

    private static func failure(_ item: LinkTraffic, _ why: String) -> HypervisorError {
        HypervisorError(
            code: "link-replay-failed",
            machine: item.towards,
            message: "what was on its way in link '\(item.link)' cannot be delivered: \(why)"
        )
    }
}
