import HypervisorAPI
import Testing

@testable import HypervisorRemote

struct ContentRangeTests {
    @Test func aPieceIsSaidAsHTTPDoes() throws {
        let piece = FilePiece(offset: 4096, bytes: [1, 2, 3], size: 8192)
        let range = ContentRange(piece)
        #expect(range.text == "bytes 4096-4098/8192")
        #expect(ContentRange(range.text)?.piece(piece.bytes) == piece)
        let none = FilePiece(offset: 8192, bytes: [], size: 8192)
        #expect(ContentRange(none).text == "bytes */8192")
        #expect(ContentRange("bytes */8192")?.piece([]) == none)
    }

    @Test(arguments: [
        "", "bytes", "bytes 0-1", "bytes 5-4/10", "bytes 0-10/10", "bytes -1/10", "bytes 0-/10", "bytes 0-1/*",
        "bytes +0-1/10", "bytes 0-1/99999999999999999999", "octets 0-1/10", "bytes 0-1/10 ",
    ])
    func anythingElseIsNone(_ text: String) { #expect(ContentRange(text) == nil) }

    @Test func theBytesHaveToBeAsMany() {
        #expect(ContentRange("bytes 0-1/10")?.piece([1]) == nil)
        #expect(ContentRange("bytes 0-1/10")?.piece([1, 2, 3]) == nil)
        #expect(ContentRange("bytes */10")?.piece([1]) == nil)
        let most = FilePiece.mostBytes
        #expect(ContentRange("bytes 0-\(most)/\(2 * most)")?.piece([UInt8](repeating: 0, count: most + 1)) == nil)
    }

    @Test(arguments: ["bytes=0-5", "bytes=-5", "0-", "bytes=x-", "bytes=0-,5-", "bytes=99999999999999999999-"])
    func aReadBeginsSomewhereAndHasNoEnd(_ text: String) throws {
        #expect(throws: HypervisorError.self) { try FileWire.offset(of: text) }
        #expect(try FileWire.offset(of: FileWire.range(from: .max)) == .max)
    }
}
