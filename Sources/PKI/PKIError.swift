/// Why a key, a certificate or a list could not be made, read or used. The message is a sentence for people: what happened, to what,
/// what to do.
public struct PKIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Stable names for programs.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// There is one already, and nothing is written over.
        case exists = "pki-exists"
        /// A file or folder that has to be there is not.
        case missing = "pki-missing"
        /// A file or folder is another user's, or others may read or write it.
        case permissions = "pki-permissions"
        /// A host or an authority cannot have that name.
        case name = "pki-name"
        /// It is neither a host name nor an IP address.
        case address = "pki-address"
        /// A certificate cannot be valid for that long.
        case validity = "pki-validity"
        /// A certificate or key cannot be read, or is not what it has to be.
        case certificate = "pki-certificate"
        /// The authority's record of what it issued cannot be read.
        case record = "pki-record"
        /// The authority never issued such a certificate.
        case unknown = "pki-unknown"
        /// A revocation list cannot be read, or its authority did not sign it.
        case revocations = "pki-revocations"
        /// A revocation list is older than one that is known already.
        case outdated = "pki-outdated"
        /// The system refused to read or write.
        case io = "pki-io"
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
