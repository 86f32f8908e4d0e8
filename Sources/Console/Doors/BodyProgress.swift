/// How far the requests of one connection have been read and answered, and so what becomes of a body whose request was answered before all of
/// it had come. Told in order, as HTTP/1.1 has it; knows no I/O.
struct BodyProgress: Sendable {
    /// Of a body that nobody wants any more, so much is taken off the wire: who sends that little is spared a connection that breaks.
    static let mostUnwanted = 64 << 10

    /// Requests of which the beginning, and the end, have come.
    private var begun = 0
    private var whole = 0
    private var answered = 0
    private var unwanted = 0
    /// Whether the connection ends with the answer that was begun last.
    private(set) var endsConnection = false

    /// The connection is to end, and neither a part of the request nor of the answer is to come.
    var isOver: Bool { endsConnection && answered == whole && answered == begun }

    /// - Returns: whether it is to be dealt with: not behind an answer that ends the connection.
    mutating func requestBegins() -> Bool {
        guard !endsConnection else { return false }
        begun += 1
        return true
    }

    /// - Returns: false: nobody wants so much.
    mutating func bodyComes(_ count: Int) -> Bool {
        guard answered >= begun else { return true }
        unwanted += count
        return unwanted <= Self.mostUnwanted
    }

    mutating func requestEnds() { whole += 1 }

    /// - Returns: whether the answer has to say that the connection ends with it: the request is not whole yet.
    mutating func answerBegins() -> Bool {
        if whole <= answered { endsConnection = true }
        return endsConnection
    }

    mutating func answerEnds() { answered += 1 }
}
