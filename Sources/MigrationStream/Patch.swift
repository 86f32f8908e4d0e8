/// Bytes of a stream that shall become other bytes, as many.
public struct Patch: Hashable, Codable, Sendable {
    /// Of the first byte, from the beginning of the stream.
    public let offset: UInt64
    /// What stands there; checked before anything is written.
    public let old: [UInt8]
    /// What shall stand there.
    public let new: [UInt8]

    public init(offset: UInt64, old: [UInt8], new: [UInt8]) {
        self.offset = offset
        self.old = old
        self.new = new
    }
}

extension StreamSource {
    /// A patch that makes the field read `value`, see ``integer(_:as:)``.
    ///
    /// - Throws: `noSuchField` if `value` is not one that the field can hold.
    public func patch<Integer: FixedWidthInteger>(_ field: Field, to value: Integer) throws(StreamError) -> Patch {
        let old = try bytes(of: field)
        let new = (0..<old.count).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        let patch = Patch(offset: field.offset, old: old, new: new)
        guard let written = try? MemorySource(tail: new, at: field.offset),
            try written.integer(field, as: Integer.self) == value
        else {
            throw StreamError(.noSuchField, at: field.offset, "\(field.path), a \(field.type), cannot hold \(value)")
        }
        return patch
    }
}
