import HostClock
import HypervisorAPI
import PKI
import Synchronization
import Testing
import Time

@testable import HypervisorRemote

/// What befalls machines on another host.
struct EventWireTests {
    private let machine = MachinePlace(simulation: "lab", machine: "bmc")

    @Test func everythingComesThroughAndIsReadOnFromItsEnd() async throws {
        try await withRemote { remote, far in
            let all = try await remote.readEvents(of: machine, after: nil)
            #expect(all.events.map(\.event) == [.panic, .shutdown] && !all.runs)
            #expect(all.end == EventMark(log: "one", number: 2) && all.serialBegins == [0: .max, 3: 5])
            // Both clocks are this host's: what was measured between them is next to nothing.
            let stamps = zip(all.events, EchoHypervisor.events).map { $0.at - $1.at }
            #expect(stamps.allSatisfy { (.seconds(-1) ... .seconds(1)).contains($0) }, "\(stamps)")
            let rest = try await remote.readEvents(of: machine, after: EventMark(log: "one", number: 1))
            #expect(rest.events.map(\.event) == [.shutdown])
            #expect(try await remote.readEvents(of: machine, after: all.end).events.isEmpty)
            let other = try await remote.readEvents(of: machine, after: EventMark(log: "two", number: 9))
            #expect(other.events.count == 2)
            let asked = far.calls.filter { $0.hasPrefix("read-events") }
            #expect(asked.first == "read-events lab/bmc nil" && asked.last == "read-events lab/bmc two 9")
        }
    }

    @Test func whatTheHostSaysAgainstItComesThrough() async throws {
        try await withRemote { remote, far in
            let reasons = [Reason(code: "monitor-failed", machine: "bmc", message: "it hangs")]
            far.failure.withLock { $0 = HypervisorError(reasons) }
            let error = await #expect(throws: HypervisorError.self) {
                _ = try await remote.readEvents(of: machine, after: nil)
            }
            #expect(error?.reasons == reasons)
        }
    }

    @Test(arguments: NameCheckTests.hostile)
    func namesThatAreNoneReachNoHypervisor(_ name: String) async throws {
        try await withRemote { remote, far in
            for machine in [
                MachinePlace(simulation: name, machine: "bmc"), MachinePlace(simulation: "lab", machine: name),
            ] {
                let error = await #expect(throws: HypervisorError.self) {
                    _ = try await remote.readEvents(of: machine, after: nil)
                }
                #expect(error?.reasons.map(\.code) == ["message-invalid"], "\(machine)")
            }
            #expect(far.calls.isEmpty)
        }
    }

    @Test func whatCannotHaveBefallenAMachineIsNone() {
        var chunk = EventChunk(end: EventMark(log: "", number: 0), events: [], runs: true, serialBegins: [255: 1])
        #expect(chunk.isSound)
        chunk.serialBegins[256] = 0
        #expect(!chunk.isSound)
        chunk.serialBegins = [:]
        chunk.events = Array(repeating: EventChunk.Entry(.reset, at: .now), count: EventChunk.mostEvents + 1)
        #expect(!chunk.isSound)
    }
}
