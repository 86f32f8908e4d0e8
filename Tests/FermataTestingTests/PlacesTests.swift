import Synchronization
import Testing

@testable import FermataTesting

/// How many may have simulations at once.
@Suite struct PlacesTests {
    private final class Crowd: Sendable {
        let counts = Mutex((now: 0, most: 0, served: 0))
    }

    @Test func `never more than there are places, and all get one`() async throws {
        let places = Places(3)
        let crowd = Crowd()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await places.take()
                    crowd.counts.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.served + 1) }
                    await Task.yield()
                    crowd.counts.withLock { $0.now -= 1 }
                    places.giveBack()
                }
            }
            try await group.waitForAll()
        }
        crowd.counts.withLock { counts in
            #expect(counts.most <= 3 && counts.now == 0 && counts.served == 50)
        }
    }

    @Test func `who is cancelled while waiting leaves, and takes no place along`() async throws {
        let places = Places(0)
        try await places.take()
        let waiting = Task { try await places.take() }
        for _ in 0..<5 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let next = Task { try await places.take() }
        places.giveBack()
        try await next.value
        places.giveBack()
        try await places.take()
    }
}
