import Testing

@testable import SerialText

/// What a console says, as steps look at it.
struct TranscriptTests {
    @Test func `a pattern is found behind what was found last, also twice in a line`() throws {
        var transcript = Transcript()
        transcript.take(Array("one two\r\nthree one\r\n".utf8))
        #expect(try transcript.find("one") == "one two")
        #expect(try transcript.find("two") == "one two")
        #expect(try transcript.find("one") == "three one")
        #expect(try transcript.find("one") == nil)
        #expect(try transcript.contains("^one") == "one two")
        #expect(try transcript.contains("four") == nil)
    }

    @Test func `a prompt is found though its line has no end, and once, however it goes on`() throws {
        var transcript = Transcript()
        transcript.take(Array("welcome\r\nlogin: ".utf8))
        #expect(try transcript.find("login: $") == "login: ")
        transcript.take(Array("root\r\n".utf8))
        #expect(try transcript.find("login") == nil)
        transcript.take(Array("login: ".utf8))
        #expect(try transcript.find("login") == "login: ")
    }

    @Test func `a line that comes in pieces is found when it is whole`() throws {
        var transcript = Transcript()
        for piece in ["rea", "d", "y 4", "2\n"] {
            #expect(try transcript.find(#"ready \d\d"#) == nil || piece == "2\n")
            transcript.take(Array(piece.utf8))
        }
        #expect(try transcript.contains(#"ready \d\d"#) == "ready 42")
    }

    @Test func `bytes of any kind are lines, and what is shown of them moves no cursor`() throws {
        var transcript = Transcript()
        transcript.take([0x1B, 0x5B, 0x32, 0x4A, 0xFF, 0xC3, 0x0A, 0x00, 0x41])
        #expect(transcript.last(9) == [#"\x1b[2J"# + "\u{FFFD}\u{FFFD}", #"\x00A"#])
        #expect(try transcript.find("A") != nil)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 { transcript.take([UInt8.random(in: 0...255, using: &random)]) }
        #expect(try transcript.find("this will not come by chance") == nil)
    }

    @Test func `a console without line breaks, or that is never quiet, is not kept for ever`() throws {
        var transcript = Transcript()
        transcript.take(Array("first\n".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 10_000))
        #expect(transcript.last(9).count == 4)
        for _ in 0..<30_000 { transcript.take(Array("tick\n".utf8)) }
        #expect(try transcript.contains("first") == nil && transcript.find("tick") == "tick")
    }

    @Test func `what was looked through is forgotten, and a line that goes on is not`() throws {
        var transcript = Transcript()
        transcript.take(Array("one\r\ntwo\r\nlog".utf8))
        #expect(try transcript.find("login") == nil)
        transcript.forget()
        #expect(try transcript.contains("one|two") == nil)
        transcript.take(Array("in: ".utf8))
        #expect(try transcript.find("login") == "login: ")
        transcript.forget()
        #expect(try transcript.find("login") == nil, "it was found already")
        transcript.take(Array("\r\nlogin again\r\n".utf8))
        #expect(try transcript.find("login") == "login again")
    }

    @Test func `what is no pattern is told, however deep or long it is`() throws {
        for depth in [1, 50, Pattern.longest / 2 - 1] {
            let open = String(repeating: "(", count: depth)
            #expect(Pattern.problem(of: open) != nil)
            let problem = Pattern.problem(of: open + "a" + String(repeating: ")", count: depth))
            #expect((problem == nil) == (depth <= 50), "Swift's own limit is below ours: \(problem ?? "")")
        }
        #expect(Pattern.problem(of: String(repeating: "a", count: Pattern.longest + 1))?.contains("longer") == true)
        #expect(Pattern.problem(of: "") != nil)
        for text in ["[", "a{2,1}", "\\", "(?<", "*"] { #expect(Pattern.problem(of: text) != nil, "\(text)") }
    }
}
