import Testing

@testable import FermataTesting

/// HTTP answers, as they come and as they should not come.
@Suite struct AnswerReaderTests {
    private typealias Problem = AnswerReader.Problem

    private static func read(_ text: String, inPiecesOf size: Int, thenEnd: Bool = false) throws -> AnswerReader {
        var reader = AnswerReader()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try reader.take(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        if thenEnd { try reader.end() }
        return reader
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `an answer is the same in whatever pieces it comes`(_ size: Int) throws {
        let counted = try Self.read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", inPiecesOf: size)
        #expect(counted.status == 200 && counted.isComplete && counted.body == Array("hello".utf8))
        let chunks =
            "HTTP/1.1 409 X\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\ntrailer: 1\r\n\r\n"
        let chunked = try Self.read(chunks, inPiecesOf: size)
        #expect(chunked.status == 409 && chunked.isComplete && chunked.body == Array("hello".utf8))
        let open = try Self.read("HTTP/1.0 200 OK\r\n\r\nhello", inPiecesOf: size, thenEnd: true)
        #expect(open.isComplete && open.body == Array("hello".utf8))
    }

    @Test func `what has come is there before the answer ends`() throws {
        let begun = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n{\"event\":\"held\"}\n\r\n"
        let reader = try Self.read(begun, inPiecesOf: 1000)
        #expect(reader.body == Array("{\"event\":\"held\"}\n".utf8) && !reader.isComplete)
    }

    @Test func `what comes behind the answer is nothing`() throws {
        let reader = try Self.read("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more", inPiecesOf: 4)
        #expect(reader.isComplete && reader.body == Array("ok".utf8))
    }

    @Test(arguments: [
        "", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ])
    func `an answer that is cut off is none`(_ text: String) {
        #expect(throws: Problem.cutOff) { try Self.read(text, inPiecesOf: 3, thenEnd: true) }
    }

    @Test(arguments: [
        ("SSH-2.0-OpenSSH", Problem.notHTTP), ("HTTP/2 200\r\n\r\n", .notHTTP), ("HTTP/1.1 abc OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1 99999999999999999999 OK\r\n\r\n", .notHTTP), ("HTTP/1.1 -1 OK\r\n\r\n", .notHTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", .notHTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n", .notHTTP),
        ("HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", .bodyTooLong),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", .chunkMalformed),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7fffffffffffffff\r\n", .bodyTooLong),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n", .chunkMalformed),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", .chunkMalformed),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nhello\r\n", .chunkMalformed),
    ])
    func `what is no answer is refused`(_ text: String, _ problem: AnswerReader.Problem) {
        #expect(throws: problem) { try Self.read(text, inPiecesOf: 1000) }
        #expect(throws: problem) { try Self.read(text, inPiecesOf: 1) }
    }

    @Test func `what does not end is refused before it fills the memory`() {
        let head = "HTTP/1.1 200 OK\r\n" + String(repeating: "a: b\r\n", count: 20_000)
        #expect(throws: Problem.headTooLong) { try Self.read(head, inPiecesOf: 40_000) }
        let size = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + String(repeating: "0", count: 100_000)
        #expect(throws: Problem.chunkMalformed) { try Self.read(size, inPiecesOf: 4096) }
    }
}
