import JSON
import Testing

@Suite struct JSONPropertyTests {
    @Test func `a value that is written and read again is the same value`() throws {
        var random = RandomDocument(generator: .announced("write and read"))
        for _ in 0..<400 {
            let value = random.value()
            for style in [JSONValue.Style.compact, .pretty] {
                let text = try value.encoded(style)
                #expect(try JSONValue(parsing: text) == value, "\(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    @Test func `documents that are split at every position give the same values`() throws {
        var random = RandomDocument(generator: .announced("split everywhere"))
        for _ in 0..<60 {
            let values = (0..<3).map { _ in random.value(depth: 3) }
            var bytes: [UInt8] = []
            for value in values {
                let style: JSONValue.Style = Bool.random(using: &random.generator) ? .compact : .pretty
                bytes += try value.encoded(style) + [UInt8(ascii: "\n")]
            }
            for cut in 0...bytes.count {
                let found = try documents(in: [bytes[..<cut], bytes[cut...]])
                #expect(found == values, "cut at \(cut)")
            }
            #expect(try documents(in: bytes.indices.map { bytes[$0...$0] }) == values, "byte by byte")
        }
    }

    @Test func `damaged documents give the same value or error however they are split, and never a crash`() {
        var random = RandomDocument(generator: .announced("damage"))
        var refused = 0
        for _ in 0..<400 {
            guard var bytes = try? random.value(depth: 3).encoded(), !bytes.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...3, using: &random.generator) {
                let index = Int.random(in: 0..<bytes.count, using: &random.generator)
                bytes[index] = .random(in: 0...255, using: &random.generator)
            }
            let whole = Result { () throws(JSONError) in try documents(in: [bytes[...]]) }
            if case .failure = whole { refused += 1 }
            let single = Result { () throws(JSONError) in try documents(in: bytes.indices.map { bytes[$0...$0] }) }
            #expect(whole == single)
        }
        #expect(refused > 100)
    }
}
