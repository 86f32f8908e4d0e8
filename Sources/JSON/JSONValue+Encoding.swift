import CJSONC

extension JSONValue {
    public enum Style: Hashable, Sendable {
        /// One line, no white space.
        case compact
        /// Two spaces a level, one member a line.
        case pretty
    }

    /// The value as UTF-8 text without a newline at its end. Members that share a name are all written; doubles with the
    /// fewest digits that read back as the same number.
    ///
    /// - Throws: `notFinite`, `nulInKey`; what came from a parser has neither.
    public func encoded(_ style: Style = .compact) throws(JSONError) -> [UInt8] {
        let tree = try TreeWriter.node(for: self)
        defer { json_object_put(tree) }
        var flags = JSON_C_TO_STRING_NOSLASHESCAPE
        if style == .pretty { flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED }
        // A null tree is json-c's null, and comes out as one.
        var length = 0
        guard let text = json_object_to_json_string_length(tree, flags, &length) else {
            throw JSONError(.library("out of memory"), offset: 0)
        }
        return Array(UnsafeRawBufferPointer(start: text, count: length))
    }
}

extension JSONValue: CustomStringConvertible {
    /// Compact JSON, for logs and messages; values without a JSON form are named.
    public var description: String {
        do {
            return String(decoding: try encoded(), as: UTF8.self)
        } catch {
            return "<\(error)>"
        }
    }
}
