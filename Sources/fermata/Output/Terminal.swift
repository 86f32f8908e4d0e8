import Glibc

/// Standard output and standard error, and what each of them can show.
struct Terminal: Sendable {
    let out: Styler
    let error: Styler
    /// Whether a line on standard error can be written over.
    let canRewrite: Bool
    /// Whether standard output shows lines and dots beyond ASCII.
    let drawsLines: Bool
    private var descriptor = STDOUT_FILENO

    init(environment: [String: String]) {
        // no-color.org: set and not empty.
        let colour = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        out = Styler(enabled: colour && isatty(STDOUT_FILENO) == 1)
        error = Styler(enabled: colour && isatty(STDERR_FILENO) == 1)
        // POSIX: the first of these that is not empty.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let isUnicode = locale.uppercased().replacing("-", with: "").contains("UTF8")
        drawsLines = isUnicode && isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
        canRewrite = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    }

    /// Of a verb whose standard output is another program's.
    var onStandardError: Terminal {
        var terminal = self
        terminal.descriptor = STDERR_FILENO
        return terminal
    }

    func print(_ line: String = "") { Self.write(line + "\n", to: descriptor) }

    func print(_ table: Table) { for line in table.lines(out) { print(line) } }

    func note(_ line: String) { Self.write(line + "\n", to: STDERR_FILENO) }

    func rewrite(_ line: String) { Self.write("\r\u{1B}[K" + line, to: STDERR_FILENO) }

    /// As they are, whatever they are.
    func write(_ bytes: [UInt8]) { Self.write(bytes, to: descriptor) }

    private static func write(_ text: String, to descriptor: Int32) { write(Array(text.utf8), to: descriptor) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if written > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                } else if written < 0, errno == EINTR || errno == EAGAIN {
                    continue
                } else {
                    // The reader has gone; nobody is left to tell.
                    return
                }
            }
        }
    }
}
