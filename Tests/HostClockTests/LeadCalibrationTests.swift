import FoundationEssentials
import HostClock
import Testing
import Time

@Suite struct LeadCalibrationTests {
    private let sent = HostInstant(nanosecondsSinceEpoch: 1_800_000_000_000_000_000)

    private func calibration(_ delays: [Span]) -> LeadCalibration {
        var calibration = LeadCalibration()
        for delay in delays { calibration.record(sentAt: sent, stampedAt: sent + delay) }
        return calibration
    }

    @Test func knowsNothingBeforeThreeInstants() {
        #expect(calibration([]).lead == .zero)
        #expect(calibration([.microseconds(400), .microseconds(400)]).lead == .zero)
        #expect(calibration([.microseconds(400), .microseconds(400), .microseconds(400)]).lead == .microseconds(400))
    }

    @Test func isTheMedianSoThatOneOddInstantDoesNotCount() {
        #expect(
            calibration([.microseconds(410), .milliseconds(900), .microseconds(390), .zero, .microseconds(400)]).lead
                == .microseconds(400)
        )
        #expect(
            calibration([.microseconds(1), .microseconds(2), .microseconds(3), .microseconds(4)]).lead
                == .microseconds(2)
        )
    }

    @Test func neverExceedsFiveMilliseconds() {
        #expect(calibration([.seconds(1), .seconds(2), .seconds(3)]).lead == .milliseconds(5))
    }

    @Test func leavesOutEventsStampedBeforeTheirCommand() {
        #expect(calibration([-.seconds(1), -.seconds(1), -.seconds(1)]) == LeadCalibration())
    }

    @Test func forgetsOldInstants() {
        let old = [Span](repeating: .milliseconds(4), count: 40)
        let new = [Span](repeating: .microseconds(300), count: LeadCalibration.capacity)
        let both = calibration(old + new)
        #expect(both.lead == .microseconds(300))
        #expect(both.delays.count == LeadCalibration.capacity)
    }

    @Test func survivesItsStateFile() throws {
        let before = calibration([.microseconds(410), .microseconds(390), .microseconds(400)])
        let data = try JSONEncoder().encode(before)
        #expect(String(decoding: data, as: UTF8.self) == "[410000,390000,400000]")
        #expect(try JSONDecoder().decode(LeadCalibration.self, from: data) == before)
    }

    @Test func anEditedStateFileDoesNotBreakIt() throws {
        let edited = "[-5,\((0..<100).map(String.init).joined(separator: ","))]"
        let calibration = try JSONDecoder().decode(LeadCalibration.self, from: Data(edited.utf8))
        #expect(calibration.delays.map(\.nanoseconds) == Array(85..<100))
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(LeadCalibration.self, from: Data("[\"x\"]".utf8))
        }
    }
}
