import Glibc
import HostClock
import Testing
import Time

/// Connected UNIX stream sockets: what is fired into `near` arrives at `far`. Closed with the value.
final class Peers: Sendable {
    let near: [Int32]
    let far: [Int32]

    init(_ count: Int) throws {
        var near: [Int32] = []
        var far: [Int32] = []
        for _ in 0..<count {
            var pair: [Int32] = [-1, -1]
            let code = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair)
            try #require(code == 0, "socketpair: errno \(errno)")
            near.append(pair[0])
            far.append(pair[1])
        }
        self.near = near
        self.far = far
    }

    deinit {
        for descriptor in near + far { close(descriptor) }
    }

    func shots(lead: Span = .zero) -> [Shot] {
        near.indices.map { Shot(descriptor: near[$0], bytes: message($0), lead: lead) }
    }

    /// What lies in the socket now; never waits.
    func received(_ index: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var all: [UInt8] = []
        while true {
            let count = recv(far[index], &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return all }
            all += bytes.prefix(count)
        }
    }

    func receivedNothing() -> Bool {
        far.indices.allSatisfy { received($0).isEmpty }
    }
}

extension DeadlineThreads {
    /// Arms for an instant as near as this machine, busy as it is, lets one choose.
    func armSoon(_ volley: Volley) throws -> ArmedVolley {
        var ahead = Span.milliseconds(10)
        while true {
            do {
                return try arm(volley, at: .now + ahead, tolerance: .seconds(60))
            } catch {
                // Not a pattern in `catch`: Swift 6.3.1 crashes over one in a loop.
                guard case .tooLate = error else { throw error }
                ahead = ahead + ahead
            }
        }
    }
}

func message(_ index: Int) -> [UInt8] {
    Array("{\"execute\": \"stop\", \"id\": \(index)}\n".utf8)
}

/// Waits on a thread of its own for the first byte at `descriptor`, and says when it was there.
func arrival(at descriptor: Int32) -> Task<HostInstant, Never> {
    Task.detached {
        await withCheckedContinuation { continuation in
            let box = Unmanaged.passRetained(Box { continuation.resume(returning: awaitByte(at: descriptor)) })
            var thread = pthread_t()
            pthread_create(
                &thread,
                nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                    return nil
                },
                box.toOpaque()
            )
            pthread_detach(thread)
        }
    }
}

private func awaitByte(at descriptor: Int32) -> HostInstant {
    var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&poller, 1, -1) != 1 {}
    return .now
}

private final class Box {
    let body: () -> Void

    init(_ body: @escaping () -> Void) {
        self.body = body
    }
}
