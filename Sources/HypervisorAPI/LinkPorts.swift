/// The UDP ports at which links between hosts receive. A link takes two that follow each other, one for each end, so that both may be on
/// one machine.
public struct LinkPorts: Codable, Hashable, Sendable, CustomStringConvertible {
    public var first: UInt16
    /// Included.
    public var last: UInt16

    /// Below those that Linux gives to whoever asks for any (32768 and up).
    public static let usual = LinkPorts(first: 24_000, last: 24_999)

    private init(first: UInt16, last: UInt16) {
        self.first = first
        self.last = last
    }

    /// - Parameter text: `24000-24999`.
    /// - Returns: nil when it is no range of two ports or more.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = UInt16(parts[0]), let last = UInt16(parts[1]), first > 0, first < last
        else { return nil }
        self.init(first: first, last: last)
    }

    public var description: String { "\(first)-\(last)" }

    public func contains(_ port: UInt16) -> Bool { first <= port && port <= last }

    /// The first ports of all pairs that lie apart.
    public var pairs: StrideTo<Int> { stride(from: Int(first), to: Int(last), by: 2) }
}

extension LinkSpec {
    /// As it was launched.
    public var leavesHost: Bool { ends.contains { $0.address != nil } }
}

extension LinkSpec.End {
    /// Of ``address``.
    public var port: UInt16? {
        address.flatMap { address in
            address.lastIndex(of: ":").flatMap { UInt16(address[address.index(after: $0)...]) }
        }
    }
}
