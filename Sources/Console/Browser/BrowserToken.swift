/// 256 bits of chance in a form that links, cookies and headers can hold.
struct BrowserToken: Hashable, Sendable {
    /// 64 hexadecimal digits.
    let text: String

    init() {
        var generator = SystemRandomNumberGenerator()
        text = (0..<4).map { _ in
            let digits = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        .joined()
    }

    func isSame(as other: some StringProtocol) -> Bool { Self.isSame(text, as: other) }

    /// Takes as long whatever of it is right, so that nobody can find it piece by piece.
    static func isSame(_ text: String, as other: some StringProtocol) -> Bool {
        let (own, given) = (Array(text.utf8), Array(other.utf8))
        guard own.count == given.count else { return false }
        return zip(own, given).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
