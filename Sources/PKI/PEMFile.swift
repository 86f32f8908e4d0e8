import Crypto
import SwiftASN1
import X509

/// Certificates and keys of one PEM text, in their order. Blocks of any other kind are refused.
struct PEMFile {
    private(set) var certificates: [Certificate] = []
    private(set) var keys: [P256.Signing.PrivateKey] = []

    /// - Parameter path: where the text is from, for messages.
    /// - Throws: `pki-certificate`.
    init(parsing bytes: [UInt8], path: String) throws(PKIError) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PKIError(.certificate, "\(path) is not PEM: it is no text")
        }
        do {
            for document in try PEMDocument.parseMultiple(pemString: text) {
                switch document.discriminator {
                case "CERTIFICATE": certificates.append(try Certificate(pemDocument: document))
                case "PRIVATE KEY": keys.append(try P256.Signing.PrivateKey(derRepresentation: document.derBytes))
                default:
                    throw PKIError(.certificate, "\(path) has something that is neither certificate nor key")
                }
            }
        } catch let error as PKIError {
            throw error
        } catch {
            // The library's words could quote a key.
            throw PKIError(.certificate, "\(path) has a certificate or key that cannot be read: put it there again")
        }
    }
}
