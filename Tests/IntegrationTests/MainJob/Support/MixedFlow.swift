import ControlInstance
import GuestClock
import HypervisorAPI
import Testing
import Time

/// Machines of several architectures with several kinds of clocks, round by round: each begins and ends with all running.
struct MixedFlow {
    let lab: Lab
    let name: String
    private let boards: [BoardMachine]
    private var consoles: [String: GuestConsole]
    /// By how much the rounds have moved real-time clocks so far, of those that did.
    private var moves: [Span] = []

    private static let tickers = ["arm", "riscv"]

    init(_ lab: Lab, _ spec: SimulationSpec, boards: [BoardMachine]) async throws {
        self.lab = lab
        self.boards = boards
        name = spec.name
        let report = try await lab.up(spec)
        try #require(report.outcome == .done, "\(report.reasons)")
        consoles = try await lab.consoles(of: name)
        for board in boards { try board.prepare(lab.folder) }
        _ = try await #require(consoles["pc"]).wait(for: "ready") { $0.event == "ready" }
    }

    /// Suspends, lets nothing run for a while, resumes: what every guest reads afterwards is what the policy says.
    mutating func round(_ step: String, _ policy: ClockPolicy, rtc: Span, pause: Span) async throws {
        let read = try await live()
        let registers = try registers()
        let said = try await said("\(step)-before")

        let suspended = try await lab.suspend(name, as: step)
        try #require(suspended.outcome == .done, "\(step): \(suspended.reasons)")
        #expect(lab.processes().isEmpty)
        try await Task.sleep(for: pause.duration)
        let resumed = try await lab.resume(name, nil, policy)
        try #require(resumed.outcome == .done, "\(step): \(resumed.reasons)")
        consoles = try await lab.consoles(of: name)

        let saidAfter = try await self.said("\(step)-after")
        let registersAfter = try self.registers()
        let readAfter = try await live()
        for machine in resumed.machines {
            let what = "\(step), \(machine.name)"
            let stoppedAt = try #require(suspended.machines.first { $0.name == machine.name }?.stoppedAt)
            let resumedAt = try #require(machine.resumedAt)
            #expect(resumedAt - stoppedAt > pause)
            func jump(_ before: GuestReading, _ after: GuestReading) -> ReadingJump {
                ReadingJump(before: before, after: after, stoppedAt: stoppedAt, resumedAt: resumedAt)
            }
            if let before = said[machine.name], let after = saidAfter[machine.name] {
                ClockJump(before: before, after: after, stoppedAt: stoppedAt, resumedAt: resumedAt)
                    .expect(what, rtc: rtc)
            }
            if let before = registers[machine.name], let after = registersAfter[machine.name] {
                jump(before, after).expect("\(what), by its registers", rtc)
            }
            jump(try #require(read[machine.name]), try #require(readAfter[machine.name]))
                .expect("\(what), read by the monitor", rtc)
        }
        if rtc != .zero { moves.append(rtc) }
    }

    /// From the first to the last all ticks are in the guests' own words, each once, and their real-time clocks have gone on
    /// with their counters but for what the policies moved.
    func expectEveryTick() throws {
        for ticker in Self.tickers {
            let path = lab.file("logs/\(name)/\(ticker)/serial0.log")
            // The last line may be half a one.
            let text = try TemporaryFolder.contents(of: path)
            let lines = text.prefix(through: text.lastIndex(of: UInt8(ascii: "\n")) ?? 0).split(
                separator: UInt8(ascii: "\n")
            )
            let ticks = lines.compactMap { GuestRecord.parse($0) }
            #expect(ticks.count == lines.count, "\(ticker) said something else than ticks")
            #expect(ticks.map(\.sequence) == Array(1..<Int64(ticks.count + 1)), "\(ticker)")
            let beside = zip(ticks, ticks.dropFirst()).map { one, next in
                #expect(next.uptimeNs > one.uptimeNs, "\(ticker): \(next)")
                return (next.rtcNs - one.rtcNs) - (next.uptimeNs - one.uptimeNs)
            }
            // A PL031 tells whole seconds, and a busy host lets time pass between a guest's readings of its two clocks.
            #expect(beside.count { abs($0) > 10_000_000_000 } == moves.count, "\(ticker): \(beside)")
            let drift = beside.reduce(0, +) - moves.reduce(0) { $0 + $1.nanoseconds }
            #expect(abs(drift) < 1_500_000_000, "\(ticker): by \(drift) ns")
        }
    }

    /// What the guests say themselves; the tickers are waited for at the same time.
    private func said(_ tag: String) async throws -> [String: ClockSample] {
        let pc = try #require(consoles["pc"])
        let tickers = try Self.tickers.map { ($0, try #require(consoles[$0])) }
        return try await withThrowingTaskGroup(of: (String, ClockSample).self) { group in
            group.addTask { ("pc", try await pc.clocks(tag)) }
            for (name, console) in tickers { group.addTask { (name, try await console.tick()) } }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func registers() throws -> [String: GuestReading] {
        try Dictionary(uniqueKeysWithValues: boards.map { ($0.name, try $0.rtc(lab.folder)) })
    }

    /// The live clock verb, which says of each machine when it was read, and how long it stood still then.
    private func live() async throws -> [String: GuestReading] {
        let report = try await lab.control.clocks(of: name, pausing: true)
        return try Dictionary(
            uniqueKeysWithValues: report.machines.map { machine in
                let rtc = try #require(machine.clock.rtcNs, "\(machine.name): \(machine.notes)")
                return (machine.name, GuestReading(ns: rtc, from: machine.readAt, to: machine.readAt + machine.pause))
            }
        )
    }
}
