import Glibc
public import NIOCore

/// TCP's own signs of life, for connections on which both sides may be silent for hours.
public enum KeepAlive {
    /// A connection over which nothing comes for so long, although it is asked for signs of life, is lost. Seconds.
    private static let limits = (idle: 10, interval: 5, count: 3)

    /// Only on the channel's event loop.
    public static func enable(on channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.socketOption(.so_keepalive), value: 1)
        try options.setOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: limits.idle)
        try options.setOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: limits.interval)
        try options.setOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: limits.count)
        // Also while something of ours is not confirmed; milliseconds.
        let lost = (limits.idle + limits.interval * limits.count) * 1_000
        try options.setOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: lost)
    }
}
