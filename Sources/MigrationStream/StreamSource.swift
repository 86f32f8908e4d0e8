/// Where the bytes of a stream are read from. Offsets count from the first byte of the stream.
public protocol StreamSource: Sendable {
    /// Offset of the first byte after the stream.
    var size: UInt64 { get }

    /// The bytes from `offset` on, `count` of them, never fewer.
    ///
    /// - Throws: `truncated` if the stream does not reach that far, `ioFailure` if it cannot be read.
    func read(at offset: UInt64, count: Int) throws(StreamError) -> [UInt8]
}

extension StreamSource {
    /// The bytes of a field, all elements of an array.
    public func bytes(of field: Field) throws(StreamError) -> [UInt8] {
        guard let count = Int(exactly: field.size) else {
            throw StreamError(.truncated, at: field.offset, "the field \(field.path) is longer than memory")
        }
        return try read(at: field.offset, count: count)
    }

    /// The bytes of a section between its header and its footer.
    public func payload(of section: Section) throws(StreamError) -> [UInt8] {
        guard let count = Int(exactly: section.payloadSize) else {
            throw StreamError(.truncated, at: section.payloadOffset, in: section.idstr, "longer than memory")
        }
        return try read(at: section.payloadOffset, count: count)
    }

    /// The value of an integer, bool or timer field, big-endian as QEMU writes all of them.
    ///
    /// A field as wide as `type` is read bit by bit, so that a `uint64` can be read as `Int64`. A narrower one is
    /// extended by what its own type says: `int…` and `timer` with the sign, everything else with zeros.
    /// - Throws: `noSuchField` if the field is an array, not 1, 2, 4 or 8 bytes long, or its value does not fit.
    public func integer<Integer: FixedWidthInteger>(
        _ field: Field,
        as type: Integer.Type = Integer.self
    ) throws(StreamError) -> Integer {
        guard [1, 2, 4, 8].contains(field.size), field.count ?? 1 == 1 else {
            throw StreamError(
                .noSuchField,
                at: field.offset,
                "\(field.path) is a \(field.type) of \(field.size) bytes, not an integer"
            )
        }
        let pattern = try bytes(of: field).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let width = Int(field.size) * 8
        if Integer.bitWidth == width { return Integer(truncatingIfNeeded: pattern) }
        let value =
            field.isSigned
            ? Integer(exactly: Int64(bitPattern: pattern << (64 - width)) >> (64 - width)) : Integer(exactly: pattern)
        guard let value else {
            throw StreamError(.noSuchField, at: field.offset, "the value of \(field.path) does not fit \(Integer.self)")
        }
        return value
    }
}
