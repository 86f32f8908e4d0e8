import SwiftASN1
import X509

extension PeerIdentity {
    /// As ``init(ofAccepted:)``, of a host that was called by a name or an IP address: the certificate has to have just that. A name leads to
    /// whichever address a name server tells; that the host is at this address says nothing of it.
    /// - Parameter host: as in a URL, an IPv6 address without brackets.
    public init(ofAccepted bytes: [UInt8], calledAs host: String) throws(PeerRefusal) {
        try self.init(ofAccepted: bytes)
        guard bytes.count <= TrustPolicy.largestCertificate, let certificate = try? Certificate(strictlyDER: bytes),
            let names = try? certificate.extensions.subjectAlternativeNames,
            names.contains(where: { Self.isSame($0, as: host) })
        else {
            throw PeerRefusal(
                .wrongName,
                "its certificate is for other names and addresses than '\(host.prefix(80))': issue it one with "
                    + "'--address HOST', or use the name that it has"
            )
        }
    }

    private static func isSame(_ name: GeneralName, as host: String) -> Bool {
        switch (name, (try? PeerAddress(parsing: host))?.kind) {
        case (.ipAddress(let bytes), .numeric(let wanted)?): return Array(bytes.bytes) == wanted
        case (.ipAddress, _), (_, .numeric?): return false
        case (.dnsName(let text), _):
            let bare = host.hasSuffix(".") ? host.dropLast() : host[...]
            return text.lowercased() == bare.lowercased()
        default: return false
        }
    }
}
