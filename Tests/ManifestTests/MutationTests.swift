import Manifest
import Testing

struct MutationTests {
    /// A fixed seed, so that a crash can be found again.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            var word = state ^ state >> 33
            word = word &* 0xff51_afd7_ed55_8ccd
            return word ^ word >> 33
        }
    }

    static let tokens = [
        "{", "}", "[", "]", ": ", "- ", "? ", "&a ", "*a", "!!int ", "!!binary ", "|\n", ">\n", "\"", "'", "#", "---\n",
        "...\n",
        "<<: ", "${", "}", "\t", "\0", "\u{feff}", "\u{85}", "\u{1F600}", "~", "null", "9999999999999999999999", "\\x",
        "%YAML 9.9\n",
    ]

    /// Mutations of a manifest either give a specification or an error with places in the text; nothing else happens.
    @Test(arguments: 0..<8)
    func neverCrash(_ seed: UInt64) throws {
        let lab = try Lab()
        var generator = Generator(state: seed)
        var refused = 0
        for _ in 0..<150 {
            var text = Array(ManifestTests.whole.unicodeScalars)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let start = Int.random(in: 0..<text.count, using: &generator)
                let end = min(text.count, start + Int.random(in: 0...12, using: &generator))
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: text.removeSubrange(start..<end)
                case 1: text.insert(contentsOf: Self.tokens.randomElement(using: &generator)!.unicodeScalars, at: start)
                case 2:
                    text.insert(contentsOf: text[start..<end], at: Int.random(in: 0...text.count, using: &generator))
                default:
                    text.replaceSubrange(
                        start..<end,
                        with: Self.tokens.randomElement(using: &generator)!.unicodeScalars
                    )
                }
                if text.isEmpty { text = Array("a".unicodeScalars) }
            }
            let whole = String(String.UnicodeScalarView(text))
            do throws(ManifestError) {
                _ = try lab.parse(whole)
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty, "\(whole.debugDescription)")
                let lines =
                    whole.unicodeScalars.count { ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) } + 2
                #expect(
                    error.problems.allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 },
                    "\(whole.debugDescription)"
                )
            }
        }
        #expect(refused > 50)
    }

    @Test(arguments: 0..<4)
    func randomBytesNeverCrash(_ seed: UInt64) throws {
        let lab = try Lab()
        var generator = Generator(state: seed &+ 1000)
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            #expect(throws: ManifestError.self) { try lab.parse(String(decoding: bytes, as: UTF8.self)) }
        }
    }
}
