import Glibc
import NIOCore

/// Where a connection comes from, as far as it takes another host to come from elsewhere.
struct PeerPlace: Hashable, Sendable, CustomStringConvertible {
    /// In network order: an IPv4 address, or the first half of an IPv6 address: hosts choose the other half for themselves.
    private let bytes: [UInt8]

    /// nil: it is on this host, by a socket that has no address.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        if let four = Self.bytes(of: text, AF_INET, count: 4) {
            bytes = four
        } else if let all = Self.bytes(of: text, AF_INET6, count: 16) {
            // An IPv4 address at a socket for both.
            let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10..<12].allSatisfy { $0 == 0xFF }
            bytes = isMapped ? Array(all.suffix(4)) : Array(all.prefix(8))
        } else {
            return nil
        }
    }

    private static func bytes(of text: String, _ family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    var description: String {
        guard bytes.count == 8 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        let groups = stride(from: 0, to: 8, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return "\(groups.joined(separator: ":"))::/64"
    }
}
