import FoundationEssentials

/// The last entry: everything before it, in order. What lacks it was cut; what differs from it was changed.
struct ArchiveIndex: Codable, Hashable, Sendable {
    var entries: [ArchivedFile]

    init(entries: [ArchivedFile] = []) { self.entries = entries }

    init(parsing bytes: [UInt8]) throws(ArchiveError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw .corrupt("ends with an index that cannot be read")
        }
    }
}
