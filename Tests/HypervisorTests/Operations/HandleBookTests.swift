import HypervisorAPI
import Testing
import Time

@testable import Hypervisor

@Suite struct HandleBookTests {
    private let start = HostInstant(nanosecondsSinceEpoch: 1_700_000_000_000_000_000)

    private func handle(instant: HostInstant? = nil) -> Handle {
        Handle(
            token: Handle.randomToken(),
            operation: OperationID(text: "op-1"),
            kind: .suspend,
            simulation: "pair",
            machines: ["a", "b"],
            instant: instant,
            earliest: start + .seconds(1),
            expires: start + .seconds(60)
        )
    }

    private func refusal(_ book: inout HandleBook, _ handle: Handle, at instant: HostInstant, now: HostInstant)
        -> String?
    {
        do throws(HypervisorError) {
            try book.redeem(handle, at: instant, now: now)
            return nil
        } catch {
            return error.reasons.first?.code
        }
    }

    @Test func aTokenHas128BitsAndIsNeverTheSame() {
        let tokens = (0..<100).map { _ in Handle.randomToken() }
        #expect(Set(tokens).count == 100)
        #expect(tokens.allSatisfy { $0.count == 32 && $0.allSatisfy(\.isHexDigit) })
    }

    @Test func aHandleIsGoodOnce() {
        var book = HandleBook()
        let handle = handle()
        book.issue(handle, now: start)
        #expect(refusal(&book, handle, at: start + .seconds(2), now: start) == nil)
        #expect(refusal(&book, handle, at: start + .seconds(2), now: start) == "handle-used")
    }

    @Test func aForgedTokenIsUnknown() {
        var book = HandleBook()
        book.issue(handle(), now: start)
        #expect(refusal(&book, handle(), at: start + .seconds(2), now: start) == "handle-unknown")
    }

    @Test func aHandleBentToOtherMachinesIsRefusedAndTheGenuineOneStillGood() {
        var book = HandleBook()
        let genuine = handle()
        book.issue(genuine, now: start)
        var bent = genuine
        bent.machines = ["a", "b", "c"]
        #expect(refusal(&book, bent, at: start + .seconds(2), now: start) == "handle-altered")
        #expect(refusal(&book, genuine, at: start + .seconds(2), now: start) == nil)
    }

    @Test func anExpiredHandleIsRefused() {
        var book = HandleBook()
        let handle = handle()
        book.issue(handle, now: start)
        #expect(refusal(&book, handle, at: start + .seconds(59), now: start + .seconds(61)) == "handle-expired")
    }

    @Test func aHandleForAnInstantIsForNoOther() {
        var book = HandleBook()
        let bound = handle(instant: start + .seconds(5))
        book.issue(bound, now: start)
        #expect(refusal(&book, bound, at: start + .seconds(6), now: start) == "instant-not-agreed")
        #expect(refusal(&book, bound, at: start + .seconds(5), now: start) == nil)
    }

    @Test(arguments: [0, 61]) func anOpenHandleIsGoodOnlyWithinItsTime(second: Int64) {
        var book = HandleBook()
        let open = handle()
        book.issue(open, now: start)
        #expect(refusal(&book, open, at: start + .seconds(second), now: start) == "instant-not-agreed")
    }

    @Test func aWithdrawnHandleIsRefusedAndCanBeWithdrawnOnce() {
        var book = HandleBook()
        let handle = handle()
        book.issue(handle, now: start)
        let (first, second) = (book.withdraw(handle), book.withdraw(handle))
        #expect(first && !second)
        #expect(refusal(&book, handle, at: start + .seconds(2), now: start) == "handle-withdrawn")
    }
}
