import SwiftASN1
import X509

extension Certificate {
    /// As records and lists name it.
    var serial: String { Hex.text(serialNumber.bytes) }

    /// One that came from outside. The library also takes signatures whose length is not in whole bytes: then a certificate could be
    /// written in two ways.
    init(strictlyDER bytes: [UInt8]) throws {
        let signature = try DER.sequence(try DER.parse(bytes), identifier: .sequence) { nodes in
            _ = nodes.next()
            _ = nodes.next()
            return try ASN1BitString(derEncoded: &nodes)
        }
        guard signature.paddingBits == 0 else { throw ASN1Error.invalidASN1Object(reason: "part of a byte") }
        try self.init(derEncoded: bytes)
    }

    func der() throws(PKIError) -> [UInt8] {
        var serializer = DER.Serializer()
        do {
            try serializer.serialize(self)
        } catch {
            throw PKIError(.certificate, "the certificate \(serial) cannot be encoded: \(error)")
        }
        return serializer.serializedBytes
    }

    func pem() throws(PKIError) -> String {
        do {
            return try serializeAsPEM().pemString + "\n"
        } catch {
            throw PKIError(.certificate, "the certificate \(serial) cannot be encoded: \(error)")
        }
    }
}
