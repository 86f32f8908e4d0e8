import Testing

@testable import SerialText

/// Text of guests, as people see it.
struct VisibleTests {
    @Test(arguments: [
        ("a\u{1B}[2Jb", #"a\x1b[2Jb"#), ("\u{9B}31m", #"\x9b31m"#), ("\u{0}\n\r\t\u{7F}", #"\x00\x0a\x0d\x09\x7f"#),
        // What reads as "user" and is not.
        ("\u{202E}resu\u{202C}", #"\x202eresu\x202c"#),
        ("a\u{2066}b\u{2069}\u{2067}\u{2068}", #"a\x2066b\x2069\x2067\x2068"#),
        ("\u{200E}\u{200F}\u{61C}\u{202A}\u{202B}\u{202D}", #"\x200e\x200f\x61c\x202a\x202b\x202d"#),
        ("a\u{2028}b\u{2029}c", #"a\x2028b\x2029c"#),
        ("Grüße, שלום, مرحبا, 你好 👍🏽", "Grüße, שלום, مرحبا, 你好 👍🏽"),
    ])
    func `nothing in it moves a cursor, ends a line or turns it around`(_ text: String, _ shown: String) {
        #expect(Visible.text(text) == shown)
    }
}
