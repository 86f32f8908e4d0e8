extension StreamDescription {
    /// Where the description stands.
    struct Place: Hashable {
        /// Offset of the byte that announces it; the byte before it ends the list of sections.
        var offset: UInt64
        var textOffset: UInt64 { offset + Wire.descriptionHeaderSize }
    }

    /// Finds the description at the end of a stream; nil if the stream does not end with one.
    ///
    /// The text is JSON, so it has no control characters: the last control character of the stream is the byte that
    /// announces it or one of the four of its length. Nothing else is looked at, so nothing that a guest has put
    /// into its RAM or its devices can be taken for it.
    /// - Parameter start: offset of the first byte that may be read.
    static func places(in source: some StreamSource, from start: UInt64) throws(StreamError) -> [Place] {
        guard let last = try lastControlCharacter(in: source, from: start) else { return [] }
        var places: [Place] = []
        for offset in stride(from: last, through: last >= 4 ? last - 4 : 0, by: -1) where offset > start {
            guard source.size - offset > Wire.descriptionHeaderSize else { continue }
            let bytes = try source.read(at: offset - 1, count: 7)
            if bytes[0] == Wire.end, bytes[1] == Wire.description, bytes[6] == UInt8(ascii: "{"),
                UInt64(bytes.uint32(at: 2)) == source.size - offset - Wire.descriptionHeaderSize
            {
                places.append(Place(offset: offset))
            }
        }
        return places
    }

    private static func lastControlCharacter(
        in source: some StreamSource,
        from start: UInt64
    ) throws(StreamError) -> UInt64? {
        let limit = max(start, source.size > Limits.descriptionBytes ? source.size - Limits.descriptionBytes : 0)
        var end = source.size
        while end > limit {
            let length = min(end - limit, 1 << 16)
            let bytes = try source.read(at: end - length, count: Int(length))
            if let index = bytes.lastIndex(where: { $0 < 0x20 && !Self.isWhitespace($0) }) {
                return end - length + UInt64(index)
            }
            end -= length
        }
        return nil
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x09 || byte == 0x0a || byte == 0x0d }

    init(at place: Place, in source: some StreamSource) throws(StreamError) {
        let text = try source.read(at: place.textOffset, count: Int(source.size - place.textOffset))
        try self.init(json: text, at: place.textOffset)
    }
}
