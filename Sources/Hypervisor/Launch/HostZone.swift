import Glibc
import Time

enum HostZone {
    /// The host's local time minus UTC, now.
    static var offset: Span {
        var now = time(nil)
        var local = tm()
        localtime_r(&now, &local)
        return .seconds(Int64(local.tm_gmtoff))
    }
}
