import Glibc
import Testing

@testable import FermataTesting

/// What comes out of a serial port, byte by byte and whatever it is.
@Suite struct SerialTextTests {
    @Test(arguments: [1, 2, 3, 5, 100])
    func `text is the same in whatever pieces it comes`(_ size: Int) {
        let whole = "höher, 高い, 👩‍🚀\r\nlogin: "
        var text = SerialText()
        var rest = Array(whole.utf8)[...]
        while !rest.isEmpty {
            text.take(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(text.unread == whole && text.received == whole.utf8.count)
    }

    @Test func `bytes that are no text do not get in the way of what is`() {
        var text = SerialText()
        for byte: UInt8 in [0xff, 0xc3, 0x28, 0xf0, 0x9f, 0x92, 0xc0, 0x80, 0x00] { text.take([byte]) }
        text.take(Array("login: ".utf8))
        #expect(text.unread.hasSuffix("\u{0}login: ") && text.unread.contains("("))
    }

    @Test func `what was found is behind, also within a character`() {
        var text = SerialText()
        text.take(Array("a\r\nbé!".utf8))
        text.skip(2)
        #expect(text.unread == "\nbé!")
        text.skip(3)
        #expect(text.unread == "!")
        text.skip(100)
        #expect(text.unread.isEmpty)
    }

    @Test func `of what never ends only the end is kept`() {
        var text = SerialText()
        let line = Array("\(String(repeating: "é", count: 500))\n".utf8)
        for _ in 0..<5_000 { text.take(line) }
        text.take(Array("login: ".utf8))
        #expect(text.received == 5_000 * line.count + 7)
        #expect(text.unread.utf8.count <= SerialText.longest && text.unread.hasSuffix("é\nlogin: "))
    }

    @Test func `a log is read on, and from the beginning when it is another one`() throws {
        var template = Array("/tmp/fermata-st-log-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(file)
            unlink(path)
        }
        var reader = SerialLogReader()
        reader.readOn("/no/such/log")
        for part in ["one ", "two "] {
            #expect(write(file, part, part.utf8.count) == part.utf8.count)
            reader.readOn(path)
        }
        #expect(reader.text.unread == "one two ")
        #expect(ftruncate(file, 0) == 0 && pwrite(file, "three", 5, 0) == 5)
        reader.readOn(path)
        #expect(reader.text.unread == "one two three")
    }

    @Test func `a timeout tells the last lines that came, and nothing that moves a cursor`() {
        let output = (1...30).map { "line \($0)\r\n" }.joined() + "\u{1b}[2Jpanic\u{9b}"
        let told = SerialTimeout(
            port: "lab/box, serial port 0",
            expected: "'login:'",
            timeout: .seconds(2),
            output: output,
            whereabouts: "all of it: /x/serial0.log"
        ).description
        #expect(told.contains("lab/box, serial port 0: 'login:' did not come within 2.0 seconds"))
        #expect(told.contains("\n  | line 30\n  | \\x1b[2Jpanic\\x9b\n(all of it: /x/serial0.log)"))
        #expect(!told.contains("line 11\n") && told.contains("line 12\n"))
        let silent = SerialTimeout(port: "p", expected: "x", timeout: .seconds(1), output: "\r\n", whereabouts: "l")
            .description
        #expect(silent.contains("nothing"))
    }
}
