import Glibc
import HostClock
import Testing
import Time

/// Real threads, the real clock, real sockets.
@Suite struct DeadlineThreadsTests {
    @Test func everyPeerGetsItsBytesOnceAndNotBeforeItsLead() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(4)
        let leads: [Span] = [.zero, .milliseconds(5), .microseconds(300), .milliseconds(5)]
        let volley = Volley(
            zip(peers.shots(), leads).map { Shot(descriptor: $0.descriptor, bytes: $0.bytes, lead: $1) }
        )
        let arrivals = peers.far.map(arrival(at:))
        let armed = try threads.armSoon(volley)
        let deadline = armed.deadline
        let report = await armed.fired()

        #expect(report.outcome == .fired)
        #expect(report.reachedEveryPeer)
        #expect(report.deadline == deadline)
        #expect(!report.clockSteppedWhileFiring)
        for index in 0..<4 {
            #expect(report.shots[index].due == deadline - leads[index])
            let writtenAt = try #require(report.shots[index].writtenAt)
            #expect(writtenAt >= deadline - leads[index])
            #expect(await arrivals[index].value >= writtenAt)
            #expect(peers.received(index) == message(index))
        }
        let stamps = report.shots.compactMap(\.writtenAt)
        // By lead, and in the given order where leads are equal.
        #expect(stamps[1] <= stamps[3] && stamps[3] <= stamps[2] && stamps[2] <= stamps[0])
        #expect(report.worstLateness == report.shots.compactMap(\.lateness).max())
    }

    @Test func sixtyFourPeersAreServedByOneVolley() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(64)
        let report = try await threads.armSoon(Volley(peers.shots())).fired()
        #expect(report.shots.count == 64)
        #expect(report.reachedEveryPeer)
        for index in 0..<64 { #expect(peers.received(index) == message(index)) }
    }

    @Test func aVolleyWithoutShotsFiresAndReportsNone() async throws {
        let report = try await DeadlineThreads().armSoon(Volley([])).fired()
        #expect(report.outcome == .fired)
        #expect(report.shots.isEmpty)
        #expect(report.worstLateness == nil)
    }

    @Test func severalVolleysOfOneInstantFireEachOnItsOwn() async throws {
        let threads = try DeadlineThreads(ready: 2)
        let peers = try Peers(5)
        let deadline = HostInstant.now + .milliseconds(300)
        let armed = try peers.shots().map { try threads.arm(Volley([$0]), at: deadline) }
        for (index, volley) in armed.enumerated() {
            let report = await volley.fired()
            #expect(report.reachedEveryPeer)
            #expect(peers.received(index) == message(index))
        }
    }

    @Test func threadsAreUsedAgain() async throws {
        let threads = try DeadlineThreads(ready: 1)
        let peers = try Peers(1)
        for _ in 0..<50 {
            let report = try await threads.armSoon(Volley(peers.shots())).fired()
            #expect(report.reachedEveryPeer)
            #expect(peers.received(0) == message(0))
        }
    }

    @Test func aPastInstantIsRefusedAndSaysByHowMuch() throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(2)
        let error = #expect(throws: DeadlineError.self) {
            try threads.arm(Volley(peers.shots()), at: .now - .seconds(3))
        }
        guard case .tooLate(let lateness) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(lateness >= .seconds(3))
        #expect(error?.description.contains("later instant") == true)
        #expect(peers.receivedNothing())
    }

    @Test func anInstantThatIsNearerThanALeadIsRefused() throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(2)
        let volley = Volley([peers.shots()[0], peers.shots(lead: Shot.longestLead)[1]])
        #expect(throws: DeadlineError.self) { try threads.arm(volley, at: .now + .milliseconds(10)) }
        #expect(peers.receivedNothing())
    }

    @Test(arguments: [Span(nanoseconds: -1), Shot.longestLead + Span(nanoseconds: 1)])
    func aLeadOutsideItsRangeIsRefused(lead: Span) throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(1)
        #expect(throws: DeadlineError.leadOutOfRange(shot: 0, lead: lead)) {
            try threads.arm(Volley(peers.shots(lead: lead)), at: .now + .seconds(60))
        }
    }

    @Test func aDescriptorThatIsNotOpenIsRefusedBeforeAnythingIsHeld() throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(1)
        let volley = Volley(peers.shots() + [Shot(descriptor: -1, bytes: [10])])
        #expect(throws: DeadlineError.badDescriptor(shot: 1, descriptor: -1)) {
            try threads.arm(volley, at: .now + .seconds(60))
        }
        #expect(peers.receivedNothing())
    }

    @Test func aPeerThatIsGoneIsReportedAndTheOthersGetTheirs() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(3)
        shutdown(peers.far[1], Int32(SHUT_RDWR))
        let report = try await threads.armSoon(Volley(peers.shots())).fired()
        #expect(report.outcome == .fired)
        #expect(!report.reachedEveryPeer)
        #expect(report.shots.map(\.failure) == [nil, .refused(errno: EPIPE), nil])
        #expect(peers.received(0) == message(0))
        #expect(peers.received(2) == message(2))
    }

    @Test func aPeerThatDoesNotReadIsReportedAndDelaysNobody() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(2)
        let block = [UInt8](repeating: 0, count: 4096)
        while send(peers.near[0], block, block.count, Int32(MSG_DONTWAIT)) > 0 {}
        let report = try await threads.armSoon(Volley(peers.shots())).fired()
        #expect(report.shots.map(\.failure) == [.refused(errno: EAGAIN), nil])
        #expect(peers.received(1) == message(1))
    }

    @Test func aMessageThatDoesNotFitIsReportedAsCutShort() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(1)
        let bytes = [UInt8](repeating: 32, count: 8 << 20)
        let volley = Volley([Shot(descriptor: peers.near[0], bytes: bytes)])
        let report = try await threads.armSoon(volley).fired()
        guard case .cutShort(let written, let length) = report.shots[0].failure else {
            Issue.record("\(report)")
            return
        }
        #expect(length == bytes.count)
        #expect(peers.received(0).count == written)
    }

    @Test func aNumberThatIsClosedAndGivenOutAgainGetsNothing() async throws {
        let threads = try DeadlineThreads()
        let peers = try Peers(2)
        let mine = dup(peers.near[0])
        let armed = try threads.armSoon(Volley([Shot(descriptor: mine, bytes: message(0))]))
        // The number now belongs to another connection, as when a machine ends and another one is attached.
        dup2(peers.near[1], mine)
        defer { close(mine) }
        #expect(await armed.fired().reachedEveryPeer)
        #expect(peers.received(0) == message(0))
        #expect(peers.received(1).isEmpty)
    }

    @Test func nobodyNeedsToHoldAnArmedVolley() async throws {
        let peers = try Peers(1)
        let arrived = arrival(at: peers.far[0])
        let deadline = try DeadlineThreads().armSoon(Volley(peers.shots())).deadline
        #expect(await arrived.value >= deadline)
        #expect(peers.received(0) == message(0))
    }

    @Test func threadsEndWithTheirOwner() throws {
        // Other tests run threads of this name meanwhile, but not nearly as many.
        do {
            let pools = try (0..<40).map { _ in try DeadlineThreads(ready: 2) }
            #expect(instantThreads().count >= 80)
            _ = pools
        }
        for _ in 0..<500 where instantThreads().count >= 40 { usleep(10_000) }
        #expect(instantThreads().count < 40)
    }
}

/// The ids of this process's threads that keep instants.
func instantThreads() -> [pid_t] {
    guard let directory = opendir("/proc/self/task") else { return [] }
    defer { closedir(directory) }
    var found: [pid_t] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard let id = pid_t(name), contents(of: "/proc/self/task/\(name)/comm") == "fermata-instant\n" else {
            continue
        }
        found.append(id)
    }
    return found
}

func contents(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
