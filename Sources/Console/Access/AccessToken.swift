import Crypto
import FoundationEssentials
import Time

/// A token as it is kept: what it is good for, and what it is recognised by, which is not what it is.
struct AccessToken: Codable, Hashable, Sendable {
    let name: String
    let role: AccessRole
    let created: HostInstant
    /// nil: until it is revoked.
    let expires: HostInstant?
    /// SHA-256 of its text, in lower-case hex. The text has 256 bits of chance: there is nothing to guess that salt would hinder.
    let digest: String

    private enum CodingKeys: String, CodingKey {
        case name, role, digest
        case created = "createdNs"
        case expires = "expiresNs"
    }

    /// Told apart by it from whatever else lies about, also by programs that look for secrets where none should be.
    static let prefix = "fermata_"

    static func digest(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    func isOver(at now: HostInstant) -> Bool { expires.map { $0 <= now } ?? false }
}
