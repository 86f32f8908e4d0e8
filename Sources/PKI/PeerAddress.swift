import Glibc

/// One more way by which a host is reached: a DNS name in lower case, or an IP address.
struct PeerAddress: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case name
        /// In network order, 4 or 16 bytes.
        case numeric([UInt8])
    }

    static let limit = 32

    let text: String
    let kind: Kind

    /// - Throws: `pki-address`; wildcards, zones and ports are none.
    init(parsing text: String) throws(PKIError) {
        let lowered = text.lowercased()
        if let bytes = Self.numeric(text, AF_INET, length: 4) ?? Self.numeric(text, AF_INET6, length: 16) {
            (self.text, kind) = (lowered, .numeric(bytes))
        } else if Self.isHostName(lowered) {
            (self.text, kind) = (lowered, .name)
        } else {
            throw PKIError(.address, "'\(text.prefix(80))' is neither a host name nor an IP address")
        }
    }

    private static func numeric(_ text: String, _ family: Int32, length: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        return !text.utf8.contains(0) && inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }

    private static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        // A last label of digits alone is an IP address that was mistyped.
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isNumber) else { return false }
        return labels.allSatisfy { PeerName.isValid(String($0)) && $0.last != "-" }
    }
}
