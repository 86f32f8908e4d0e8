import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

/// What befell a machine, as it is kept for whoever asks.
struct EventLogTests {
    private static func instant(_ second: Int64) -> HostInstant {
        HostInstant(nanosecondsSinceEpoch: 1_000_000_000 * second)
    }

    @Test func eachIsToldBehindWhatIsKnown() {
        let log = EventLog()
        let empty = log.read(after: nil)
        #expect(empty.events.isEmpty && empty.end == EventMark(log: log.name, number: 0))
        log.add(.reset, at: Self.instant(1))
        log.add(.panic, at: Self.instant(2))
        #expect(log.read(after: empty.end).events.map(\.event) == [.reset, .panic])
        let (end, events) = log.read(after: EventMark(log: log.name, number: 1))
        #expect(events == [EventChunk.Entry(.panic, at: Self.instant(2))] && end.number == 2)
        #expect(log.read(after: end).events.isEmpty)
        // Of what was before an agent was started anew nobody knows here.
        #expect(log.read(after: EventMark(log: EventLog().name, number: 9)).events.count == 2)
        #expect(log.read(after: EventMark(log: log.name, number: .max)).events.isEmpty)
    }

    @Test func whatAMachineStandsStillForIsToldOnce() {
        let log = EventLog()
        log.add(.panic, at: Self.instant(1))
        log.find(.panic, at: Self.instant(2))
        log.find(.shutdown, at: Self.instant(3))
        #expect(log.read(after: nil).events.map(\.event) == [.panic, .shutdown])
    }

    @Test func aGuestThatResetsWithoutEndPushesNothingElseOut() {
        let log = EventLog()
        log.add(.panic, at: Self.instant(0))
        for second in 1...1000 { log.add(.reset, at: Self.instant(Int64(second))) }
        let (end, events) = log.read(after: nil)
        #expect(events.count == EventChunk.mostEvents && end.number == 1001)
        #expect(events.first?.event == .panic && events.last?.at == Self.instant(1000))
        #expect(events.map(\.at) == events.map(\.at).sorted())
        #expect(log.read(after: EventMark(log: log.name, number: 999)).events.count == 2)
    }

    @Test func whoWaitsIsWokenByAnEventAndByTheEndOfHisTask() async {
        let log = EventLog()
        let version = log.version
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await log.change(from: version) } }
            log.add(.reset, at: Self.instant(1))
        }
        // Not waited for: it is another version already.
        await log.change(from: version)
        let waiting = Task { await log.change(from: log.version) }
        waiting.cancel()
        await waiting.value
        #expect(log.read(after: nil).events.count == 1)
    }
}
