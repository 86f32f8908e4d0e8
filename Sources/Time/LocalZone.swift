import Glibc

/// What a civil time means where this host is, by the C library's zone (TZ, /etc/localtime).
enum LocalZone {
    /// All moments, in seconds since the epoch, at which local clocks show `civil`: one, none where clocks are put
    /// forward, two where they are put back.
    static func moments(of civil: CivilTime) -> [Int64] {
        tzset()
        let asUTC = civil.secondsSinceEpoch
        // Not mktime: it picks one of two moments by itself, and invents one where there is none. Zones change at most
        // once within two days, so the offsets a day before and a day after are all that can apply.
        var offsets: [Int64] = []
        for probe in [asUTC - 86_400, asUTC + 86_400] {
            guard let offset = offset(at: probe), !offsets.contains(offset) else { continue }
            offsets.append(offset)
        }
        return offsets.map { asUTC - $0 }.filter { offset(at: $0) == asUTC - $0 }.sorted()
    }

    /// Seconds that local clocks are ahead of UTC at that moment.
    private static func offset(at secondsSinceEpoch: Int64) -> Int64? {
        var moment = time_t(secondsSinceEpoch)
        var fields = tm()
        guard localtime_r(&moment, &fields) != nil else { return nil }
        return Int64(fields.tm_gmtoff)
    }
}
