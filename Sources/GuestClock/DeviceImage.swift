import MigrationStream

/// One device's saved state, with what has been changed in it.
struct DeviceImage: Sendable {
    /// Name of the state description.
    let device: String
    /// Name of the section.
    let section: String
    let instance: UInt32
    let version: UInt32
    /// Offset of the payload from the beginning of the stream.
    let payloadOffset: UInt64
    /// Offsets count from the beginning of the stream.
    let fields: [Field]
    private(set) var payload: [UInt8]
    private let original: [UInt8]
    private var touched: [Range<Int>] = []

    init(
        device: String,
        section: String,
        instance: UInt32,
        version: UInt32,
        payloadOffset: UInt64,
        fields: [Field],
        payload: [UInt8]
    ) {
        self.device = device
        self.section = section
        self.instance = instance
        self.version = version
        self.payloadOffset = payloadOffset
        self.fields = fields
        self.payload = payload
        original = payload
    }

    init(_ section: Section, source: some StreamSource) throws(ClockError) {
        let payload: [UInt8]
        do {
            payload = try source.payload(of: section)
        } catch {
            throw .unreadable(section: section.idstr, reason: error.description)
        }
        self.init(
            device: section.vmsdName,
            section: section.idstr,
            instance: section.instance,
            version: section.version,
            payloadOffset: section.payloadOffset,
            fields: section.fields,
            payload: payload
        )
    }

    /// What was changed, field by field.
    var patches: [Patch] {
        touched.sorted { $0.lowerBound < $1.lowerBound }.compactMap { range in
            let (old, new) = (Array(original[range]), Array(payload[range]))
            return old == new ? nil : Patch(offset: payloadOffset + UInt64(range.lowerBound), old: old, new: new)
        }
    }

    /// Bytes of the payload that a field fills; nil if the stream says that it has none such, or one out of bounds.
    func range(of path: String) -> Range<Int>? {
        field(path).flatMap { range(of: $0) }
    }

    func range(of field: Field) -> Range<Int>? {
        guard field.offset >= payloadOffset,
            let start = Int(exactly: field.offset - payloadOffset), let size = Int(exactly: field.size),
            start <= payload.count, size <= payload.count - start
        else { return nil }
        return start..<start + size
    }

    mutating func replace(_ range: Range<Int>, with bytes: [UInt8]) {
        guard range.count == bytes.count, range.upperBound <= payload.count, range.lowerBound >= 0 else { return }
        payload.replaceSubrange(range, with: bytes)
        if !touched.contains(range) { touched.append(range) }
    }

    private func field(_ path: String) -> Field? {
        if let field = fields.first(where: { $0.path == path }) { return field }
        // An element of an array of plain values.
        guard path.hasSuffix("]"), let bracket = path.lastIndex(of: "["),
            let index = UInt64(path[path.index(after: bracket)...].dropLast()),
            let array = fields.first(where: { $0.path == path[..<bracket] }), let count = array.count, count > 0,
            index < UInt64(count)
        else { return nil }
        let width = array.size / UInt64(count)
        return Field(path: path, type: array.type, offset: array.offset + width * index, size: width)
    }
}
