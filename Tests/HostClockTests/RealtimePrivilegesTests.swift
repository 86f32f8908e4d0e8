import Glibc
import HostClock
import Testing
import Time

@Suite struct RealtimePrivilegesTests {
    @Test func whatIsReportedIsWhatTheThreadHas() async {
        await #expect(processExitsWith: .success) {
            let threads = try DeadlineThreads(ready: 2)
            let ids = instantThreads()
            #expect(ids.count == 2)
            for id in ids {
                let policy = sched_getscheduler(id) & ~0x4000_0000  // SCHED_RESET_ON_FORK
                var parameter = sched_param()
                sched_getparam(id, &parameter)
                switch threads.privileges.scheduling {
                case .fifo(let priority):
                    #expect(policy == SCHED_FIFO)
                    #expect(parameter.sched_priority == priority)
                case .ordinary:
                    #expect(policy == SCHED_OTHER)
                }
            }
            let status = try #require(contents(of: "/proc/self/status"))
            let locked = status.split(separator: "\n").first { $0.hasPrefix("VmLck:") }
            let kilobytes = locked.flatMap { Int($0.filter(\.isNumber)) } ?? 0
            if threads.privileges.memory == .locked { #expect(kilobytes > 0) }
            withExtendedLifetime(threads) {}
        }
    }

    @Test func withoutPrivilegesItSaysSoAndKeepsDeadlinesAllTheSame() async {
        await #expect(processExitsWith: .success) {
            var nothing = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(Int32(__RLIMIT_RTPRIO.rawValue), &nothing)
            setrlimit(Int32(__RLIMIT_MEMLOCK.rawValue), &nothing)
            if geteuid() == 0 { try #require(setuid(65534) == 0) }

            let threads = try DeadlineThreads()
            #expect(threads.privileges.scheduling == .ordinary(errno: EPERM))
            #expect(threads.privileges.memory == .unlocked(errno: EPERM))
            #expect(!threads.privileges.full)
            let peers = try Peers(2)
            let armed = try threads.armSoon(Volley(peers.shots()))
            let deadline = armed.deadline
            let report = await armed.fired()
            #expect(report.reachedEveryPeer)
            #expect(report.privileges == threads.privileges)
            #expect(report.shots.allSatisfy { ($0.writtenAt ?? deadline - .seconds(1)) >= deadline })
        }
    }

    @Test(.enabled(if: mayRaiseLimits, "needs root with CAP_SYS_RESOURCE, to hand an ordinary user a limit"))
    func aLowerLimitOnRealTimePriorityIsUsed() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 7, rlim_max: 7)
            try #require(setrlimit(Int32(__RLIMIT_RTPRIO.rawValue), &limit) == 0)
            try #require(setuid(65534) == 0)
            #expect(try DeadlineThreads().privileges.scheduling == .fifo(priority: 7))
        }
    }

    @Test func isDescribedInSentencesThatSayWhatToDo() {
        let granted = RealtimePrivileges(scheduling: .fifo(priority: 50), memory: .locked)
        #expect(granted.full)
        #expect(granted.description == "SCHED_FIFO: granted (priority 50). Locked memory: granted.")
        #expect(granted.shortcomings.isEmpty)
        let refused = RealtimePrivileges(scheduling: .ordinary(errno: EPERM), memory: .unlocked(errno: ENOMEM))
        #expect(refused.shortcomings.count == 2, "a report tells only what was refused")
        let half = RealtimePrivileges(scheduling: .fifo(priority: 50), memory: .unlocked(errno: ENOMEM))
        #expect(half.shortcomings.count == 1 && half.shortcomings[0].hasPrefix("Locked memory: not permitted"))
        #expect(!refused.full)
        #expect(refused.description.contains("SCHED_FIFO: not permitted (Operation not permitted (errno 1))"))
        #expect(refused.description.contains("CAP_SYS_NICE"))
        #expect(refused.description.contains("Cannot allocate memory"))
        #expect(refused.description.contains("CAP_IPC_LOCK"))
    }
}

private let mayRaiseLimits: Bool = {
    let capabilities = contents(of: "/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    guard let mask = capabilities?.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) }) else { return false }
    return geteuid() == 0 && mask & (1 << 24) != 0
}()
