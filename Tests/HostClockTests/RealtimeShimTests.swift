import CShims
import Glibc
import HostClock
import Testing
import Time

@Suite struct RealtimeShimTests {
    @Test func aTimerIsReadableFromItsDeadlineOn() throws {
        let deadline = HostInstant.now + .milliseconds(15)
        let timer = fermata_timer_open(deadline.nanosecondsSinceEpoch)
        try #require(timer >= 0)
        defer { close(timer) }
        var poller = pollfd(fd: timer, events: Int16(POLLIN), revents: 0)
        #expect(poll(&poller, 1, 0) == 0 || HostInstant.now >= deadline)
        #expect(poll(&poller, 1, 10_000) == 1)
        #expect(HostInstant.now >= deadline)
        #expect(fermata_timer_clock_was_set(timer) == 0)
    }

    @Test(arguments: [Int64(0), -1, .min, 1])
    func aTimerInThePastIsReadableAtOnce(deadline: Int64) throws {
        let timer = fermata_timer_open(deadline)
        try #require(timer >= 0)
        defer { close(timer) }
        var poller = pollfd(fd: timer, events: Int16(POLLIN), revents: 0)
        #expect(poll(&poller, 1, 10_000) == 1)
    }

    @Test func aTimerIsArmedForTheEndOfTimeWithoutAnError() throws {
        let timer = fermata_timer_open(.max)
        try #require(timer >= 0)
        defer { close(timer) }
        #expect(fermata_timer_clock_was_set(timer) == 0)
    }

    @Test func spinningEndsAtTheInstantAndNotBefore() {
        let due = HostInstant.now + .milliseconds(2)
        #expect(fermata_spin(due.nanosecondsSinceEpoch) == 0)
        #expect(HostInstant.now >= due)
        #expect(fermata_spin(0) == 0)
    }

    /// A clock that was set back is, for the time of a spin, one that stands still: the processor clock of a thread
    /// that sleeps.
    @Test func spinningOnAClockThatStandsStillEnds() throws {
        var pipeEnds: [Int32] = [-1, -1]
        try #require(pipe(&pipeEnds) == 0)
        var sleeper = pthread_t()
        let readEnd = UnsafeMutableRawPointer(bitPattern: Int(pipeEnds[0]))
        pthread_create(
            &sleeper,
            nil,
            { context in
                var byte: UInt8 = 0
                _ = read(Int32(Int(bitPattern: context)), &byte, 1)
                return nil
            },
            readEnd
        )
        defer {
            close(pipeEnds[1])
            pthread_join(sleeper, nil)
            close(pipeEnds[0])
        }
        var clock = clockid_t()
        try #require(pthread_getcpuclockid(sleeper, &clock) == 0)
        var reading = timespec()
        clock_gettime(clock, &reading)
        let now = Int64(reading.tv_sec) * 1_000_000_000 + Int64(reading.tv_nsec)
        // The sleeper may not sleep yet, so a little of its time can still pass, but not 20 ms of it.
        #expect(fermata_spin_on(clock, now + 20_000_000) == 1)
    }

    @Test func clockDisciplineIsReadWithoutChangingIt() {
        let synchronisation = clockSynchronisation()
        #expect(synchronisation.maximumError >= .zero)
        #expect(synchronisation.estimatedError >= .zero)
        #expect((synchronisation.errorBound == nil) == !synchronisation.synchronised)
        if let bound = synchronisation.errorBound { #expect(bound == synchronisation.maximumError) }
    }
}
