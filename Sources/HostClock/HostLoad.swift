import Glibc
public import Time

/// How busy the host is, as far as it delays whoever wants to run.
public enum HostLoad {
    /// What each runnable thread more than there are processors costs a newcomer: some time slices of the scheduler.
    private static let slice = 50e6
    private static let longest = 1e9

    /// How much longer than on an idle host it takes until something that is due has been done, by the load of the last minute.
    public static var expectedDelay: Span {
        var load = [0.0]
        guard getloadavg(&load, 1) == 1 else { return .zero }
        return expectedDelay(load: load[0], processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    static func expectedDelay(load: Double, processors: Int) -> Span {
        guard load.isFinite, processors > 0 else { return .zero }
        let waiting = max(0, load / Double(processors) - 0.5)
        return Span(nanoseconds: Int64(min(longest, waiting * slice)))
    }
}
