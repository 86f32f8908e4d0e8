import HostClock
import Testing
import Time

/// Lines of a real `chronyc -c -n tracking`, chrony 4.3.
@Suite struct ChronyTrackingTests {
    @Test func `a clock that follows a server is bounded by offset, half the delay, and dispersion`() throws {
        let line =
            "7F000001,127.0.0.1,9,1795803423.019101884,-0.000001455,0.000000186,0.000000892,0.177,0.318,0.549,0.000005843,0.000000801,0.3,Normal"
        let tracking = try #require(ChronyTracking(line))
        #expect(tracking.source == "127.0.0.1")
        #expect(tracking.stratum == 9)
        #expect(tracking.maximumError == Span(nanoseconds: 1_455 + 5_843 / 2 + 801))
    }

    @Test func `a clock of the host's own has no name`() throws {
        let line =
            "7F7F0101,,8,1795803405.171971721,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal"
        let tracking = try #require(ChronyTracking(line))
        #expect(tracking.source.isEmpty)
        #expect(tracking.maximumError == .zero)
    }

    @Test func `without a source nothing is vouched for`() throws {
        let line =
            "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised"
        let tracking = try #require(ChronyTracking(line))
        #expect(tracking.maximumError == nil)
    }

    @Test(arguments: [
        "", "506 Cannot talk to daemon", ",,,,,,,,,,,,,", "7F000001,x,9,1,nan,0,0,0,0,0,0,0,0,Normal",
        "7F000001,x,9,1,0,0,0,0,0,0,1e300,0,0,Normal",
        "7F000001,x,99,1,0,0,0,0,0,0,0,0,0,Normal", "7F000001,x,9,1,0,0,0,0,0,0,0,inf,0,Normal",
        "7F000001,x,9,1,0,0,0,0,0,0,0,0,0",
    ])
    func `what is no tracking line is none`(line: String) {
        #expect(ChronyTracking(line) == nil)
    }
}
