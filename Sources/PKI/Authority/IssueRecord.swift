import FoundationEssentials

/// The file `issued.json`: all certificates of an authority, and which revocation list belongs to them.
struct IssueRecord: Codable {
    static let currentFormat = 1

    let format: Int
    /// Of the revocation list that these certificates make.
    var sequence: UInt64
    var certificates: [CertificateRecord]

    init() { (format, sequence, certificates) = (Self.currentFormat, 1, []) }

    /// - Throws: `pki-record`.
    init(parsing bytes: [UInt8], path: String) throws(PKIError) {
        do {
            self = try JSONDecoder().decode(IssueRecord.self, from: Data(bytes))
        } catch {
            throw PKIError(
                .record,
                "\(path) cannot be read as the record of issued certificates: put a copy of it there"
            )
        }
        guard format == Self.currentFormat else {
            throw PKIError(
                .record,
                "\(path) has format \(format), this release reads \(Self.currentFormat): use the later one"
            )
        }
    }

    func bytes(path: String) throws(PKIError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
        } catch {
            throw PKIError(.record, "\(path) cannot be encoded: \(error)")
        }
    }

    var revoked: [RevocationList.Entry] {
        certificates.compactMap { record in
            record.revoked.map { RevocationList.Entry(serial: record.serial, revoked: $0) }
        }
    }
}
