import Dispatch
import Glibc

/// The terminal that somebody sits at, every key of which goes to a guest.
struct RawKeyboard: Sendable {
    /// Ctrl-], which no guest gets: it leaves.
    private static let leave: UInt8 = 0x1D

    private let before: termios
    /// What is typed, as it comes; ends when somebody leaves.
    let keys: AsyncStream<[UInt8]>

    /// - Returns: nil when standard input is no terminal.
    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        before = settings
        cfmakeraw(&settings)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) == 0 else { return nil }
        let (keys, feed) = AsyncStream<[UInt8]>.makeStream()
        self.keys = keys
        // It blocks, also when nobody listens any more: the process ends with it.
        DispatchQueue(label: "fermata.keyboard").async {
            defer { feed.finish() }
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(STDIN_FILENO, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                let typed = buffer.prefix(count)
                let end = typed.firstIndex(of: Self.leave) ?? typed.endIndex
                if end > 0 { feed.yield(Array(typed[..<end])) }
                guard end == typed.endIndex else { return }
            }
        }
    }

    /// The terminal as it was.
    func restore() {
        var settings = before
        tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
    }
}
