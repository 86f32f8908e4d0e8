import HostClock
import HypervisorAPI
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// How often hosts are asked what their machines do. Time stands still here.
struct MachineFollowerTests {
    private struct World {
        var pauses: [Duration] = []
        var signs: [MachineSign] = []
        var troubles: [[String]?] = []
        var isWanted = true
    }

    private static let instant = ContinuousClock.now

    private func bench() throws -> ScriptedHypervisor {
        let hypervisor = ScriptedHypervisor(host: "left", folder: try TemporaryFolder())
        hypervisor.world.withLock { $0.machines["sim/a"] = .running }
        return hypervisor
    }

    /// - Parameter pauses: behind which it is nobody's any more.
    private func follow(
        _ hypervisor: ScriptedHypervisor?,
        ports: Set<Int> = [],
        pauses: Int = .max,
        until isEnough: @escaping @Sendable (World) -> Bool = { _ in false },
        _ paused: @escaping @Sendable (Int) -> Void = { _ in }
    ) async -> World {
        let world = Mutex(World())
        let task = Task {
            await MachineFollower(
                machine: MachinePlace(simulation: "sim", machine: "a"),
                ports: ports,
                hypervisor: { hypervisor },
                now: { HostInstant.now },
                isWanted: { _ in world.withLock { $0.isWanted } },
                tell: { sign in
                    world.withLock { world in
                        world.signs.append(sign)
                        if isEnough(world) { world.isWanted = false }
                    }
                },
                trouble: { reasons in world.withLock { $0.troubles.append(reasons?.map(\.code)) } },
                pace: AskingPace(
                    longest: .seconds(8),
                    now: { Self.instant },
                    sleep: { pause in
                        let count = world.withLock { world in
                            world.pauses.append(pause)
                            return world.pauses.count
                        }
                        paused(count)
                        if count >= pauses { withUnsafeCurrentTask { $0?.cancel() } }
                    }
                )
            )
            .follow()
        }
        await task.value
        return world.withLock { $0 }
    }

    @Test func aHostThatAnswersAtOnceWithNothingIsGivenLongerAndLongerPauses() async throws {
        let hypervisor = try bench()
        hypervisor.world.withLock { $0.isHasty = true }
        let world = await follow(hypervisor, pauses: 7)
        #expect(world.pauses.map { $0 / .milliseconds(500) } == [1, 2, 4, 8, 16, 16, 16])
        // The first, which may be answered with nothing, and one before each pause.
        #expect(hypervisor.world.withLock { $0.questions } == 8)
        #expect(world.troubles.isEmpty && world.signs.isEmpty)
    }

    @Test func aHostThatIsAwayIsAskedAgainAndToldOfOnce() async throws {
        let hypervisor = try bench()
        hypervisor.world.withLock { $0.isOff = true }
        let world = await follow(
            hypervisor,
            until: { !$0.signs.isEmpty },
            { count in
                guard count == 5 else { return }
                hypervisor.befalls("a", .reset)
                hypervisor.world.withLock { $0.isOff = false }
            }
        )
        #expect(world.pauses.count == 5 && world.troubles == [["host-unreachable"], nil])
        #expect(world.signs.map(\.what) == [.befell(.reset)])
        #expect(hypervisor.world.withLock { $0.questions } == 6)
        let unknown = await follow(nil, pauses: 3)
        #expect(unknown.troubles == [["host-not-found"]])
    }

    @Test func nobodyIsAskedForWhatNobodyWaitsForAndNothingEndedIsWaitedFor() async throws {
        let hypervisor = try bench()
        hypervisor.befalls("a", .panic)
        hypervisor.says("a", "one\n")
        let world = await follow(hypervisor, ports: [0], until: { $0.signs.count == 2 })
        #expect(Set(world.signs.map(\.what)) == [.befell(.panic), .said(Array("one\n".utf8), port: 0)])
        // One more for events, if the port was slower.
        #expect(hypervisor.world.withLock { $0.questions } <= 3 && world.pauses.isEmpty)
        // What it said last is told, too.
        hypervisor.world.withLock { $0.machines = [:] }
        let last = await follow(hypervisor, ports: [0])
        #expect(last.signs.count == 2)
    }
}
