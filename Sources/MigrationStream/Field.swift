/// A piece of a device's state: a number, a buffer, or an array of either.
public struct Field: Hashable, Codable, Sendable {
    /// How to get there from the section: `last_update`, in a nested structure `timer.expire`, in an array of
    /// structures `channels[0].count`, in a subsection `pl031/tick-offset.tick_offset`.
    public let path: String
    /// QEMU's name of its type: `int64`, `uint32`, `timer`, `buffer`, …
    public let type: String
    /// Offset of its first byte from the beginning of the stream; in a ``SectionLayout``, of the payload.
    public let offset: UInt64
    /// Length in bytes, of an array all its elements.
    public let size: UInt64
    /// Elements, if it is an array of plain values. ``Section/field(_:)`` with `[n]` behind the path gives one.
    public let count: Int?

    public init(path: String, type: String, offset: UInt64, size: UInt64, count: Int? = nil) {
        self.path = path
        self.type = type
        self.offset = offset
        self.size = size
        self.count = count
    }

    var isSigned: Bool { type.hasPrefix("int") || type.hasPrefix("timer") }

    /// nil when the sum does not fit.
    func moved(by distance: UInt64) -> Field? {
        let (offset, overflow) = self.offset.addingReportingOverflow(distance)
        return overflow ? nil : Field(path: path, type: type, offset: offset, size: size, count: count)
    }

    /// One element of an array of plain values.
    func element(_ index: Int) -> Field? {
        guard let count, count > 0, index >= 0, index < count else { return nil }
        let width = size / UInt64(count)
        return Field(path: "\(path)[\(index)]", type: type, offset: offset + width * UInt64(index), size: width)
    }
}

extension [Field] {
    /// The field of that path; `[n]` behind the path of an array gives its element.
    func find(_ path: String) -> Field? {
        if let field = first(where: { $0.path == path }) { return field }
        guard path.hasSuffix("]"), let bracket = path.lastIndex(of: "["),
            let index = Int(path[path.index(after: bracket)...].dropLast())
        else { return nil }
        return first { $0.path == path[..<bracket] }?.element(index)
    }
}
