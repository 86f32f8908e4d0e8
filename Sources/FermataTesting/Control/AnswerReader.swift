/// An HTTP/1.1 answer, taken apart as its bytes come. A value: it knows no socket, and believes no length.
struct AnswerReader {
    enum Problem: Error, Hashable, CustomStringConvertible {
        case notHTTP, headTooLong, bodyTooLong, chunkMalformed, cutOff

        var description: String {
            switch self {
            case .notHTTP: "what answers speaks no HTTP"
            case .headTooLong: "the head of the answer does not end"
            case .bodyTooLong: "the answer is too long"
            case .chunkMalformed: "a part of the answer has no length"
            case .cutOff: "the connection ended before the answer did"
            }
        }
    }

    private enum Stage {
        case head
        /// Bytes of the body that are still to come.
        case counted(Int)
        /// Everything until the connection ends.
        case uncounted
        case chunkSize
        case chunk(Int)
        /// The line break behind a chunk.
        case chunkEnd
        /// Lines behind the last chunk, up to an empty one.
        case trailer
        case complete
    }

    static let longestHead = 64 << 10
    static let longestBody = 64 << 20

    /// nil until the head is there.
    private(set) var status: Int?
    /// What has come of the body.
    private(set) var body: [UInt8] = []
    private var stage = Stage.head
    private var pending: [UInt8] = []

    var isComplete: Bool { if case .complete = stage { true } else { false } }

    mutating func take(_ bytes: some Sequence<UInt8>) throws(Problem) {
        pending += bytes
        while try step() {}
        guard body.count <= Self.longestBody else { throw .bodyTooLong }
    }

    /// What has come of the body and was not taken yet, of one that has no end.
    mutating func takeBody() -> [UInt8] {
        defer { body = [] }
        return body
    }

    /// To be called when the connection has ended.
    mutating func end() throws(Problem) {
        switch stage {
        case .uncounted: stage = .complete
        case .complete: break
        default: throw .cutOff
        }
    }

    /// - Returns: whether there may be more to do with what has come.
    private mutating func step() throws(Problem) -> Bool {
        switch stage {
        case .head: return try takeHead()
        case .counted(let left):
            let count = moveToBody(left)
            stage = left > count ? .counted(left - count) : .complete
            return false
        case .uncounted:
            moveToBody(pending.count)
            return false
        case .chunkSize:
            guard let line = try line() else { return false }
            guard let size = Int(line.prefix { $0 != ";" && $0 != " " }, radix: 16), size >= 0 else {
                throw .chunkMalformed
            }
            guard size <= Self.longestBody else { throw .bodyTooLong }
            stage = size == 0 ? .trailer : .chunk(size)
            return true
        case .chunk(let left):
            let count = moveToBody(left)
            stage = left > count ? .chunk(left - count) : .chunkEnd
            return left == count
        case .chunkEnd:
            guard let line = try line() else { return false }
            guard line.isEmpty else { throw .chunkMalformed }
            stage = .chunkSize
            return true
        case .trailer:
            guard let line = try line() else { return false }
            if line.isEmpty { stage = .complete }
            return !line.isEmpty
        case .complete:
            pending = []
            return false
        }
    }

    private mutating func takeHead() throws(Problem) -> Bool {
        guard let end = pending.firstRange(of: Array("\r\n\r\n".utf8)) else {
            guard pending.count <= Self.longestHead else { throw .headTooLong }
            guard pending.prefix(5).elementsEqual("HTTP/".utf8.prefix(pending.count)) else { throw .notHTTP }
            return false
        }
        let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        pending.removeSubrange(..<end.upperBound)
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (200...599).contains(status)
        else { throw .notHTTP }
        self.status = status
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), value.lowercased())
        }
        let values = Dictionary(fields) { first, _ in first }
        if values["transfer-encoding"]?.contains("chunked") ?? false {
            stage = .chunkSize
        } else if let length = values["content-length"] {
            guard let length = Int(length), length >= 0 else { throw .notHTTP }
            guard length <= Self.longestBody else { throw .bodyTooLong }
            stage = length == 0 ? .complete : .counted(length)
        } else {
            stage = .uncounted
        }
        return true
    }

    @discardableResult
    private mutating func moveToBody(_ most: Int) -> Int {
        let count = min(most, pending.count)
        body += pending.prefix(count)
        pending.removeFirst(count)
        return count
    }

    /// Up to a line break, which is taken, too.
    private mutating func line() throws(Problem) -> String? {
        guard let end = pending.firstRange(of: Array("\r\n".utf8)) else {
            guard pending.count <= Self.longestHead else { throw .chunkMalformed }
            return nil
        }
        let text = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        pending.removeSubrange(..<end.upperBound)
        return text
    }
}
