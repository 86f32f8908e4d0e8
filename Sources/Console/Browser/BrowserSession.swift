/// A browser that came in through a link, until it has been away for too long or its time is over.
struct BrowserSession: Sendable {
    /// In a cookie that no script can read.
    let token = BrowserToken()
    /// In a cookie that scripts of this origin alone can read; every request that changes something has it in a header, too.
    let csrf = BrowserToken()
    /// Whatever it does.
    let ends: ContinuousClock.Instant
    var lastUse: ContinuousClock.Instant
}
