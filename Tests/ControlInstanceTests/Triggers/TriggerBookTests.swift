import HypervisorAPI
import SerialText
import Synchronization
import Testing
import Time

@testable import ControlInstance

/// The triggers of a run as a value: what goes in, and what is due then.
struct TriggerBookTests {
    private static let begin = HostInstant(nanosecondsSinceEpoch: 1_000_000_000_000)

    private static func spec(_ triggers: TriggerSpec...) -> SimulationSpec {
        var spec = SimulationSpec(name: "sim", machines: [.sample("a"), .sample("b")])
        spec.machines[0].serials = [.none, .log, .log]
        spec.triggers = triggers
        return spec
    }

    private static func book(_ triggers: TriggerSpec..., from saved: SavedTriggers? = nil) -> TriggerBook {
        var spec = spec()
        spec.triggers = triggers
        return TriggerBook(spec, TriggerRecord(of: spec, from: saved, at: begin))
    }

    private static func says(_ machine: String, _ text: String, port: Int = 1) -> MachineSign {
        MachineSign(machine: machine, at: begin + .seconds(1), what: .said(Array(text.utf8), port: port))
    }

    private static func befell(_ machine: String, _ event: GuestEvent) -> MachineSign {
        MachineSign(machine: machine, at: begin + .seconds(1), what: .befell(event))
    }

    /// As a run does it.
    private func take(_ sign: MachineSign, _ book: inout TriggerBook, _ listener: SerialListener = SerialListener()) {
        if case .said(let bytes, _) = sign.what {
            book.take(listener.look(in: bytes, for: book.patterns(in: sign)), at: sign.at)
        } else {
            book.take(sign)
        }
    }

    private static let login = TriggerSpec(.serial(machine: "a", port: nil, pattern: "login:"), .checkpoint("booted"))
    private static let panic = TriggerSpec(.event(machine: "b", .panic), .suspend(nil))
    private static let later = TriggerSpec(.guest(.seconds(10)), .checkpoint(nil))

    private func phases(_ book: TriggerBook) -> [TriggerState.Phase] { book.states.map(\.phase) }

    @Test func aPatternIsFoundInPiecesOfWhatThatMachineSaysAtThatPort() {
        var book = Self.book(Self.login)
        let listener = SerialListener()
        take(Self.says("b", "login:\n"), &book, listener)
        take(Self.says("a", "login:\n", port: 2), &book, listener)
        take(Self.says("a", "lo"), &book, listener)
        take(Self.says("a", "g\nlog"), &book, listener)
        #expect(phases(book) == [.armed])
        take(Self.says("a", "in: "), &book, listener)
        #expect(phases(book) == [.due] && book.states[0].met == Self.begin + .seconds(1) && book.due == [0])
    }

    @Test func anEventIsOfThatMachineAlone() {
        var book = Self.book(Self.panic)
        book.take(Self.befell("a", .panic))
        book.take(Self.befell("b", .reset))
        take(Self.says("b", "panic\n"), &book)
        #expect(phases(book) == [.armed])
        book.take(Self.befell("b", .panic))
        #expect(phases(book) == [.due])
    }

    @Test func timeInThePauseDoesNotCount() {
        var book = Self.book(Self.later)
        #expect(book.rest(at: Self.begin + .seconds(4)) == .seconds(6))
        book.pause(from: Self.begin + .seconds(4), to: Self.begin + .seconds(100))
        book.pass(to: Self.begin + .seconds(105))
        #expect(phases(book) == [.armed] && book.rest(at: Self.begin + .seconds(105)) == .seconds(1))
        book.pass(to: Self.begin + .seconds(106))
        #expect(phases(book) == [.due] && book.rest(at: Self.begin + .seconds(106)) == nil)
    }

    @Test func aClockThatWasSetBackTakesNothingAway() {
        var book = Self.book(Self.later)
        book.pause(from: Self.begin - .seconds(50), to: Self.begin - .seconds(49))
        #expect(book.rest(at: Self.begin - .seconds(49)) == .seconds(10))
    }

    @Test func eachGoesItsWayOnceAndNoStepTwice() {
        var book = Self.book(Self.login, Self.panic)
        let operation = OperationID(text: "op")
        // Nothing of this is possible of one that is armed.
        book.begin(0, operation)
        book.end(0, nil)
        book.postpone(0)
        #expect(phases(book) == [.armed, .armed])
        take(Self.says("a", "login:"), &book)
        book.begin(0, operation)
        #expect(phases(book) == [.begun, .armed] && book.states[0].operation == operation)
        book.postpone(0)
        #expect(phases(book) == [.due, .armed] && book.states[0].operation == nil)
        book.begin(0, operation)
        book.end(OperationID(text: "another"), "no")
        #expect(phases(book) == [.begun, .armed])
        book.end(operation, nil)
        #expect(phases(book) == [.done, .armed])
        book.end(operation, "too late")
        take(Self.says("a", "login:"), &book)
        #expect(phases(book) == [.done, .armed] && book.due.isEmpty)
        book.take(Self.befell("b", .panic))
        book.end(1, "the disk is full")
        #expect(phases(book) == [.done, .failed] && book.states[1].problem == "the disk is full")
        book.take(Self.befell("b", .panic))
        #expect(phases(book) == [.done, .failed], "one that has failed does not try again by itself")
    }

    @Test func aPatternThatIsNoneHasFailedAndEndsNobody() {
        var book = Self.book(TriggerSpec(.serial(machine: "a", port: nil, pattern: "["), .checkpoint(nil)))
        take(Self.says("a", "x"), &book)
        #expect(phases(book) == [.failed] && book.states[0].problem?.contains("regular expression") == true)
    }

    @Test func aCheckpointKeepsWhatHadHappenedByThen() {
        var book = Self.book(Self.login, Self.panic, Self.later)
        take(Self.says("a", "login:"), &book)
        book.begin(0, OperationID(text: "op"))
        book.take(Self.befell("b", .panic))
        let stop = Self.begin + .seconds(2)
        let saved = book.saved(at: stop, goingOn: stop + .milliseconds(2))
        #expect(saved.states.map(\.phase) == [.done, .due, .armed] && saved.ran == .seconds(2))
        // What was met while its RAM was still written is not in it.
        let earlier = book.saved(at: Self.begin, goingOn: Self.begin + .milliseconds(2))
        #expect(earlier.states.map(\.phase) == [.armed, .armed, .armed] && earlier.ran == .zero)
        var second = Self.book(Self.login, Self.panic, Self.later, from: saved)
        #expect(second.due == [1] && second.rest(at: Self.begin) == .seconds(8))
        take(Self.says("a", "login:"), &second)
        #expect(second.due == [1], "it is in the past of whatever goes on from there")
    }

    @Test func whatAnArchiveSaysIsNotTrusted() {
        let saved = SavedTriggers(states: [TriggerState(.done)], ran: Span(nanoseconds: .min))
        let book = Self.book(Self.login, Self.later, from: saved)
        #expect(phases(book) == [.armed, .armed] && book.rest(at: Self.begin) == .seconds(10))
        var endless = Self.book(Self.later, from: SavedTriggers(states: [], ran: Span(nanoseconds: .max)))
        endless.pass(to: HostInstant(nanosecondsSinceEpoch: .max))
        #expect(endless.due == [0])
    }

    @Test func machinesThatAreToBeSavedStayWhenTheyPanic() {
        var spec = Self.spec(Self.panic, TriggerSpec(.event(machine: "b", .watchdog), .checkpoint(nil)))
        spec.stayForTriggers()
        #expect(spec.machines[1].stays == [.panic, .watchdog] && spec.machines[0].stays == nil)
        #expect(spec.machines.allSatisfy { $0.arguments.isEmpty }, "a host need not allow raw arguments for it")
        let once = spec
        spec.stayForTriggers()
        #expect(spec == once)
        spec = Self.spec(TriggerSpec(.event(machine: "b", .panic), .hook(["x"], timeout: .seconds(1))))
        spec.stayForTriggers()
        #expect(spec.machines[1].stays == nil, "it is not to be saved")
    }

    @Test func onlyWhatIsWaitedForIsLookedAt() {
        var book = Self.book(Self.login, Self.panic, Self.later)
        #expect(book.lookedAt == ["a": [1], "b": []])
        #expect(book.waits(for: "a", port: 1) && !book.waits(for: "a", port: 2) && !book.waits(for: "a", port: nil))
        #expect(book.waits(for: "b", port: nil) && !book.waits(for: "b", port: 1))
        take(Self.says("a", "login:"), &book)
        #expect(!book.waits(for: "a", port: 1) && book.lookedAt == ["b": []])
    }

    @Test func aPatternIsCompiledOnceHoweverMuchIsSaid() {
        let compiled = Mutex(0)
        let listener = SerialListener { text in
            compiled.withLock { $0 += 1 }
            return try CompiledPattern(text)
        }
        for _ in 0..<10 { #expect(listener.look(in: Array("lo\nlog".utf8), for: [0: "login:", 3: "x"]).isEmpty) }
        #expect(listener.look(in: Array("in:".utf8), for: [0: "login:", 3: "x"]).map(\.index) == [0])
        #expect(compiled.withLock { $0 } == 2)
    }
}
