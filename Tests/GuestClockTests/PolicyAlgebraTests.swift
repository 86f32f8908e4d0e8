import MigrationStream
import Testing
import Time

@testable import GuestClock

@Suite("Policies, on every real-time clock device")
struct PolicyAlgebraTests {
    enum Wish: CaseIterable { case `continue`, offset, host, at }

    static let wishes: [(Wish, RTCClockSource)] = Wish.allCases.flatMap { [($0, .host), ($0, .vm)] }

    private struct Situation {
        var settings: ClockSettings
        var virtual: Int128
        var stopped: HostInstant
        var saved: HostInstant
        var loaded: HostInstant
        var resumed: HostInstant
        var policy: ClockPolicy
        var scope: ClockScope

        init(_ wish: Wish, clock: RTCClockSource, scope: ClockScope, range: ClosedRange<Int64>, random: inout SplitMix)
        {
            let bases: [RTCBase] = [
                .utc, ClockSettings.test().base, .instant(ClockSettings.started - .seconds(86_400)),
            ]
            settings = .test(clock: clock, base: bases[Int(random.next(below: 3))])
            virtual = Int128(random.next(below: 1 << 50))
            stopped = ClockSettings.started + Span(nanoseconds: Int64(random.next(below: 1 << 50)))
            saved = stopped + Span(nanoseconds: Int64(random.next(below: 3_000_000_000)))
            loaded = saved + Span(nanoseconds: Int64(random.next(below: 1 << 50)))
            resumed = loaded + Span(nanoseconds: Int64(random.next(below: 3_000_000_000)))
            self.scope = scope
            let span = Int64(random.next(below: 200_000_000_000)) - (scope == .all ? 0 : 100_000_000_000)
            policy =
                switch wish {
                case .continue: .continue
                case .offset: .offset(Span(nanoseconds: span))
                case .host: .host
                case .at:
                    .at(
                        HostInstant(
                            nanosecondsSinceEpoch: (range.lowerBound
                                + Int64(random.next(below: UInt64(range.upperBound - range.lowerBound))))
                                * 1_000_000_000
                                + Int64(random.next(below: 1_000_000_000))
                        )
                    )
                }
        }

        func clocks(
            at host: HostInstant,
            transfer: HostInstant,
            virtual: Int128,
            settings: ClockSettings
        ) -> RTCUnderTest.Clocks {
            let start = Int128(settings.processStart.nanosecondsSinceEpoch).floorDivided(by: 1_000_000_000)
            let base =
                if case .instant(let instant) = settings.base {
                    Int128(instant.nanosecondsSinceEpoch).floorDivided(by: 1_000_000_000)
                } else {
                    start
                }
            let now = Int128(host.nanosecondsSinceEpoch)
            return settings.clock == .host
                ? .init(
                    device: now,
                    transfer: Int128(transfer.nanosecondsSinceEpoch),
                    virtual: virtual,
                    timedate: now + (base - start) * 1_000_000_000
                )
                : .init(device: virtual, transfer: virtual, virtual: virtual, timedate: virtual + base * 1_000_000_000)
        }
    }

    private func check(
        _ device: RTCUnderTest,
        _ wish: Wish,
        _ clock: RTCClockSource,
        _ scope: ClockScope,
        random: inout SplitMix
    ) throws {
        let now = Situation(wish, clock: clock, scope: scope, range: device.range, random: &random)
        let image = device.make(&random)
        let timer = DeviceImage.timer(virtual: now.virtual)
        let clocks = try GuestClocks(
            [timer, image],
            settings: now.settings,
            stoppedAt: now.stopped,
            savedAt: now.saved
        )
        let read = try device.guestReads(
            image,
            now.clocks(at: now.stopped, transfer: now.saved, virtual: now.virtual, settings: now.settings)
        )
        #expect(clocks.state.rtcNs.map { abs(Int128($0) - read) <= device.resolution } == true)

        let attempt = Result { () throws(ClockError) in
            try clocks.plan(policy: now.policy, scope: scope, resumeAt: now.resumed, loadAt: now.loaded)
        }
        guard case .success(let plan) = attempt else {
            if case .failure(.backward) = attempt, scope == .all { return }
            // A clock whose saved time is not one that it can be set to: only its own time can be refused so.
            let range = Int128(device.range.lowerBound)...Int128(device.range.upperBound)
            if case .failure(.outOfRange) = attempt, wish != .at, !range.contains(read / 1_000_000_000) { return }
            Issue.record("refused: \(attempt)")
            return
        }
        let patched = image.patched(with: plan.patches)
        let virtual = try timer.patched(with: plan.patches).signed("cpu_clock_offset")
        let after = try device.guestReads(
            patched,
            now.clocks(at: now.resumed, transfer: now.loaded, virtual: virtual, settings: plan.settings)
        )
        let wanted: Int128 =
            switch now.policy {
            case .continue: read
            case .offset(let span): read + Int128(span.nanoseconds)
            case .host: Int128(now.resumed.nanosecondsSinceEpoch)
            case .at(let instant): Int128(instant.nanosecondsSinceEpoch)
            }
        if wish == .continue {
            #expect(after == read, "continue must not lose or gain anything")
        } else {
            #expect(abs(after - wanted) <= device.resolution)
        }
        #expect(plan.expected.rtcNs.map { abs(Int128($0) - after) <= 1 } == true, "what is promised is what is read")
        if wish == .continue, clock == .vm, scope == .rtc { #expect(plan.patches.isEmpty) }
        for (left, right) in zip(plan.patches, plan.patches.dropFirst()) {
            #expect(left.offset + UInt64(left.old.count) <= right.offset)
        }
        if scope == .all, wish == .offset, case .offset(let span) = now.policy {
            #expect(virtual - now.virtual == Int128(span.nanoseconds))
        }
    }

    @Test("The guest reads at resume what the policy says", arguments: RTCUnderTest.all, wishes)
    func rtc(device: RTCUnderTest, wish: (Wish, RTCClockSource)) throws {
        var random = SplitMix(seed: 1)
        for _ in 0..<60 { try check(device, wish.0, wish.1, .rtc, random: &random) }
    }

    @Test("The same when the clocksource moves along", arguments: RTCUnderTest.all, wishes)
    func all(device: RTCUnderTest, wish: (Wish, RTCClockSource)) throws {
        var random = SplitMix(seed: 2)
        for _ in 0..<60 { try check(device, wish.0, wish.1, .all, random: &random) }
    }
}
