import Glibc
import Testing
import Time

/// In processes of their own: TZ belongs to the whole process, and other tests read it meanwhile.
@Suite struct LocalTimeTests {
    @Test func withoutAZoneItIsTheHostsLocalTime() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
            try expectLocal("2026-12-31T23:59:50", is: "2026-12-31T22:59:50Z")
            try expectLocal("2026-07-01 12:00", is: "2026-07-01T10:00:00Z")
            try expectLocal("2026-07-01T12:00:00.5", is: "2026-07-01T10:00:00.5Z")
        }
    }

    @Test func aLocalTimeThatClocksSkipIsRefused() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
            let error = #expect(throws: TimeTextError.self) { try HostInstant(parsing: "2026-03-29T02:30:00") }
            #expect(error?.problem.contains("skip") == true)
            try expectLocal("2026-03-29T01:59:59", is: "2026-03-29T00:59:59Z")
            try expectLocal("2026-03-29T03:00:00", is: "2026-03-29T01:00:00Z")
        }
    }

    @Test func aLocalTimeThatComesTwiceIsRefused() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
            let error = #expect(throws: TimeTextError.self) { try HostInstant(parsing: "2026-10-25T02:30:00") }
            #expect(error?.problem.contains("twice") == true)
            try expectLocal("2026-10-25T01:59:59", is: "2026-10-24T23:59:59Z")
            try expectLocal("2026-10-25T03:00:00", is: "2026-10-25T02:00:00Z")
            try expectLocal("2026-10-25T02:30:00+01:00", is: "2026-10-25T01:30:00Z")
        }
    }

    @Test func zonesFarFromUTCWorkToo() async {
        await #expect(processExitsWith: .success) {
            setenv("TZ", "<+14>-14", 1)
            try expectLocal("2026-01-01T00:00:00", is: "2025-12-31T10:00:00Z")
            setenv("TZ", "<-12>12", 1)
            try expectLocal("2026-01-01T00:00:00", is: "2026-01-01T12:00:00Z")
        }
    }
}

private func expectLocal(_ text: String, is utc: String) throws {
    let expected = try HostInstant(parsing: utc)
    #expect(try HostInstant(parsing: text) == expected)
}
