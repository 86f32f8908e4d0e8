/// Where what a guest writes is read, and what is typed goes.
protocol SerialSource: Sendable {
    /// What has come and was not found yet, as UTF-8, and how many bytes ever came.
    func read() -> (unread: String, received: Int)

    /// - Parameter count: of UTF-8 units of what has not been found yet.
    func skip(_ count: Int)

    /// Where all of it is, or why nothing comes.
    var whereabouts: String { get }
}
