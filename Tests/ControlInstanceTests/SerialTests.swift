import HypervisorAPI
import Synchronization
import Testing

@testable import ControlInstance

/// Serial ports of machines on any host, followed over whatever becomes of the two.
struct SerialTests {
    /// `c`, which is on the right host, and not the control instance's own.
    private func withFollower(
        from offset: UInt64? = nil,
        _ body: (Bench, ControlInstance, inout Listener) async throws -> Void
    ) async throws {
        let bench = try Bench()
        let control = try bench.control()
        bench.right.say("boot\n", "sim/c")
        try await bench.up(control)
        var listener = Listener(try await control.followSerial(nil, of: "c", in: "sim", from: offset))
        try await body(bench, control, &listener)
    }

    /// Hears all but silence.
    struct Listener {
        private var news: AsyncStream<SerialNews>.Iterator

        init(_ stream: AsyncStream<SerialNews>) { news = stream.makeAsyncIterator() }

        /// In words; nil: nothing more will come.
        mutating func hear() async -> String? {
            while let next = await news.next() {
                switch next {
                case .output(let chunk): return "\(String(decoding: chunk.bytes, as: UTF8.self)) \(chunk.end)"
                case .state(let state): return "\(state.state.rawValue) \(state.reasons.map(\.code))"
                case .silence: continue
                }
            }
            return nil
        }
    }

    @Test func aMachineOnAnotherHostIsHeardAndTypedTo() async throws {
        try await withFollower { bench, control, listener in
            #expect(await listener.hear() == "boot\n 5")
            bench.right.say("login: ", "sim/c")
            #expect(await listener.hear() == "login:  12")
            try await control.writeSerial(Array("root\r".utf8), to: 1, of: "c", in: "sim")
            try await control.writeSerial([], to: nil, of: "c", in: "sim")
            #expect(bench.right.world.withLock { $0.typed } == ["sim/c/1 root\r", "sim/c/1 "])
            #expect(bench.left.world.withLock { $0.typed }.isEmpty)
        }
    }

    @Test func whoComesBackGoesOnWhereHeWas() async throws {
        try await withFollower(from: 3) { _, _, listener in #expect(await listener.hear() == "t\n 5") }
    }

    @Test func aHostThatIsLostIsToldOnceAndGoneOnWithWhenItIsFound() async throws {
        try await withFollower { bench, control, listener in
            #expect(await listener.hear() == "boot\n 5")
            bench.right.world.withLock { $0.isOff = true }
            #expect(await listener.hear() == "lost [\"host-unreachable\"]")
            let error = await #expect(throws: ControlError.self) {
                try await control.writeSerial([65], to: nil, of: "c", in: "sim")
            }
            #expect(error?.reasons.map(\.code) == ["host-unreachable"] && error?.exitCode == 3)
            await #expect(throws: ControlError.self) {
                _ = try await control.followSerial(nil, of: "c", in: "sim", from: nil)
            }
            bench.right.say("while it was away", "sim/c")
            bench.right.world.withLock { $0.isOff = false }
            #expect(await listener.hear() == "connected []")
            #expect(await listener.hear() == "while it was away 22")
        }
    }

    /// Time stands still here.
    @Test func aHostThatAnswersAtOnceWithNothingIsNotAskedWithoutEnd() async throws {
        let bench = try Bench()
        bench.right.say("boot\n", "sim/c")
        bench.right.world.withLock { world in
            world.machines["sim/c"] = .running
            world.isHasty = true
        }
        let (instant, pauses) = (ContinuousClock.now, Pauses())
        let pace = AskingPace(now: { instant }, sleep: { pause in pauses.all.withLock { $0.append(pause) } })
        let port = SerialPlace(simulation: "sim", machine: "c", number: 0)
        let follower = SerialFollower(port, on: bench.right, from: 0, pace: pace) { .unknown }
        guard case .output? = await follower.next() else { return #expect(Bool(false), "it said something") }
        for _ in 0..<5 { #expect(await follower.next() == .silence) }
        #expect(pauses.all.withLock { $0 } == Array(repeating: AskingPace.pause, count: 4))
        #expect(bench.right.world.withLock { $0.questions } == 6)
    }

    private final class Pauses: Sendable {
        let all = Mutex<[Duration]>([])
    }

    /// The control instance's own host is there.
    @Test func aHostThatIsLostIsInNobodyElsesWay() async throws {
        try await withFollower { bench, control, _ in
            bench.left.say("a", "sim/a")
            bench.right.world.withLock { $0.isOff = true }
            try await control.writeSerial([66], to: nil, of: "a", in: "sim")
            #expect(bench.left.world.withLock { $0.typed } == ["sim/a/1 B"])
        }
    }

    @Test func aSuspendIsToldAndGoneOnBehind() async throws {
        try await withFollower { bench, control, listener in
            #expect(await listener.hear() == "boot\n 5")
            _ = try await bench.suspend(control)
            #expect(await listener.hear() == "stopped []")
            #expect(
                await code { _ = try await control.followSerial(nil, of: "c", in: "sim", from: nil) }
                    == "machine-not-running"
            )
            _ = try await bench.resume(control)
            #expect(await listener.hear() == "connected []")
            bench.right.say("on", "sim/c")
            #expect(await listener.hear() == "on 7")
        }
    }

    /// Its log there is another one, of which nothing has been heard.
    @Test func aMachineThatGoesOnElsewhereIsFollowedThere() async throws {
        try await withFollower { bench, control, listener in
            #expect(await listener.hear() == "boot\n 5")
            _ = try await bench.suspend(control)
            #expect(await listener.hear() == "stopped []")
            bench.left.say("here\n", "sim/c")
            var record = try #require(try await bench.store.simulation("sim"))
            record.machines = record.machines.map { machine in
                var machine = machine
                if machine.name == "c" { machine.host = "left" }
                return machine
            }
            if record.machines.isEmpty { record.machines = [MachineRecord(name: "c", host: "left", adopted: false)] }
            try await bench.store.apply(StoreChange(simulation: record))
            bench.left.world.withLock { $0.machines["sim/c"] = .running }
            #expect(await listener.hear() == "connected []")
            #expect(await listener.hear() == "here\n 5")
        }
    }

    @Test func itEndsWithItsSimulation() async throws {
        try await withFollower { bench, control, listener in
            #expect(await listener.hear() == "boot\n 5")
            _ = try await control.down("sim")
            #expect(await listener.hear() == "stopped []")
            _ = try await control.forget("sim", dryRun: false)
            #expect(await listener.hear() == "ended []")
            #expect(await listener.hear() == nil)
        }
    }

    @Test func whatIsNotThereIsRefusedWithItsReason() async throws {
        try await withFollower { bench, control, _ in
            for (machine, port, expected) in [
                ("c", 0, "serial-missing"), ("a", nil, "serial-missing"), ("x", nil, "machine-not-found"),
            ] as [(String, Int?, String)] {
                #expect(
                    await code { _ = try await control.followSerial(port, of: machine, in: "sim", from: nil) }
                        == expected
                )
                #expect(await code { try await control.writeSerial([1], to: port, of: machine, in: "sim") } == expected)
            }
            #expect(
                await code { _ = try await control.followSerial(nil, of: "c", in: "other", from: nil) }
                    == "simulation-not-found"
            )
        }
    }

    /// The code of what it throws.
    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? ControlError)?.reasons.first?.code
        }
    }
}
