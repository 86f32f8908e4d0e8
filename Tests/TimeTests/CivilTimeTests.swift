import Testing

@testable import Time

@Suite("Dates and times of day")
struct CivilTimeTests {
    @Test(
        "Known instants have their dates",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (-1, "1969-12-31T23:59:59"),
        ]
    )
    func known(seconds: Int64, text: String) {
        #expect(CivilTime(secondsSinceEpoch: seconds).text == text)
        #expect(CivilTime(text: text)?.secondsSinceEpoch == seconds)
    }

    @Test("Every second converts there and back")
    func roundTrip() {
        var seconds: Int64 = -2_208_988_800
        while seconds < 7_258_118_400 {
            let civil = CivilTime(secondsSinceEpoch: seconds)
            #expect(civil.secondsSinceEpoch == seconds)
            seconds += 86_399 * 17
        }
    }

    @Test("Days of the week go on in order", arguments: [(Int64(0), 4), (86_400, 5), (1_709_208_000, 4), (-86_400, 3)])
    func weekday(seconds: Int64, weekday: Int) {
        #expect(CivilTime(secondsSinceEpoch: seconds).weekday == weekday)
    }

    @Test(
        "What QEMU's -rtc base= would not take is refused",
        arguments: [
            "", "now", "2024", "2024-02", "2024-13-01", "2024-02-29T25:00:00", "2024-02-29T12:00", "+2024-02-29",
            "2024-02-29 12:00:00", "2024-02-00",
        ]
    )
    func refused(text: String) {
        #expect(CivilTime(text: text) == nil)
    }

    @Test("A date alone means its midnight")
    func dateAlone() {
        #expect(CivilTime(text: "2024-02-29")?.text == "2024-02-29T00:00:00")
    }
}
