import Time

/// Lets a few machines run at a time: the tests mostly wait, but a QEMU that starts needs a processor.
actor ClockLanes {
    static let shared = ClockLanes()
    private var free = 4
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        await enter()
        do {
            let value = try await body()
            await leave()
            return value
        } catch {
            await leave()
            throw error
        }
    }

    static func pause(until instant: HostInstant) async throws {
        try await Task.sleep(for: (instant - hostNow()).duration)
    }

    private func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
