/// What a stream says of itself before its first section.
struct StreamHead {
    var machineType: String?
    var capabilities: [String] = []
    var targetPageBits: UInt32?
    var uuid: [UInt8]?
    /// Offset of the first byte behind the configuration.
    var size: UInt64

    var pageSize: UInt64? { targetPageBits.map { 1 << $0 } }
    var isMappedRAM: Bool { capabilities.contains("mapped-ram") }
    /// RAM that lives in shared files is not in the stream.
    var ignoresShared: Bool { capabilities.contains("x-ignore-shared") }

    init(reading source: some StreamSource) throws(StreamError) {
        var cursor = Cursor(source, at: 0)
        guard source.size >= 8 else {
            throw StreamError(.notACheckpoint, at: 0, "it has \(source.size) bytes, the header alone takes 8")
        }
        guard try cursor.uint32() == Wire.magic else {
            throw StreamError(.notACheckpoint, at: 0, "it does not begin with the letters QEVM")
        }
        let version = try cursor.uint32()
        guard version == Wire.version else {
            throw StreamError(
                .unsupported,
                at: 4,
                "it has version \(version) of the format; QEMU has written version 3 since 2007"
            )
        }
        size = cursor.position
        guard try cursor.peek() == Wire.configuration else { return }
        try cursor.skip(1)
        let length = try cursor.uint32()
        guard length <= Limits.nameBytes else {
            throw StreamError(.corrupt, at: 9, "a machine type has no name of \(length) bytes")
        }
        machineType = try cursor.name(length: Int(length), at: 9)
        while try cursor.peek() == Wire.subsection { try readSubsection(&cursor) }
        size = cursor.position
    }

    private mutating func readSubsection<Source>(_ cursor: inout Cursor<Source>) throws(StreamError) {
        let start = cursor.position
        try cursor.skip(1)
        let name = try cursor.countedName()
        let version = try cursor.uint32()
        guard version == 1 else {
            throw StreamError(.unsupported, at: start, "\(name) has version \(version), known is version 1")
        }
        switch name {
        case "configuration/target-page-bits":
            let bits = try cursor.uint32()
            guard (6...20).contains(bits) else {
                throw StreamError(.corrupt, at: start, "no processor has pages of 2^\(bits) bytes")
            }
            targetPageBits = bits
        case "configuration/capabilities":
            let count = try cursor.uint32()
            guard count <= 256 else { throw StreamError(.corrupt, at: start, "QEMU has no \(count) capabilities") }
            for _ in 0..<count { capabilities.append(try cursor.countedName()) }
        case "configuration/uuid":
            uuid = try cursor.bytes(16)
        default:
            throw StreamError(.unsupported, at: start, "the configuration has an unknown part named \(name)")
        }
    }
}
