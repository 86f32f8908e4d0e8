/// What stands before the payload of a section that is saved in one piece.
struct SectionHeader: Hashable {
    var id: UInt32
    var idstr: String
    var instance: UInt32
    var version: UInt32

    var size: UInt64 { Wire.headerSize + UInt64(idstr.utf8.count) }

    /// nil if no such header begins at `index`.
    init?(_ bytes: [UInt8], at index: Int, type: UInt8 = Wire.sectionFull) {
        guard index + 6 <= bytes.count, bytes[index] == type else { return nil }
        let name = index + 6
        let end = name + Int(bytes[index + 5])
        guard end + 8 <= bytes.count, let idstr = String(printable: bytes[name..<end]) else { return nil }
        id = bytes.uint32(at: index + 1)
        self.idstr = idstr
        instance = bytes.uint32(at: end)
        version = bytes.uint32(at: end + 4)
    }

    /// Reads what follows the type byte.
    init<Source>(after cursor: inout Cursor<Source>) throws(StreamError) {
        id = try cursor.uint32()
        idstr = try cursor.countedName()
        instance = try cursor.uint32()
        version = try cursor.uint32()
    }
}

extension [UInt8] {
    /// The caller has checked that four bytes are there.
    func uint32(at index: Int) -> UInt32 {
        self[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The caller has checked that eight bytes are there.
    func uint64(at index: Int) -> UInt64 {
        self[index..<index + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
