import Testing
import Time

@testable import HostClock

@Suite("How busy the host is")
struct HostLoadTests {
    @Test(
        "An idle host delays nothing, a busy one in proportion, none for ever",
        arguments: [
            (0.0, 2, Span.zero), (1, 2, .zero), (2, 2, .milliseconds(25)), (14, 2, .milliseconds(325)),
            (1e9, 2, .seconds(1)), (.infinity, 2, .zero), (.nan, 2, .zero), (3, 0, .zero), (-1, 2, .zero),
        ]
    )
    func delay(_ load: Double, _ processors: Int, _ expected: Span) {
        #expect(HostLoad.expectedDelay(load: load, processors: processors) == expected)
    }
}
