/// What one device has in a stream, from the header to the footer.
public struct Section: Hashable, Sendable {
    /// The name in the stream: `timer`, `0000:00:01.3/piix4_pm`.
    public let idstr: String
    /// The name of the state description. That of the layout where one is known; otherwise, as for the old-style
    /// sections that have none (`slirp`, `todclock`), the same as ``idstr``.
    public let vmsdName: String
    /// Tells sections of the same ``idstr`` apart, e.g. processors.
    public let instance: UInt32
    public let version: UInt32
    /// Offset of the header's first byte from the beginning of the stream.
    public let offset: UInt64
    /// Bytes, header and footer included.
    public let size: UInt64
    public let payloadOffset: UInt64
    public let payloadSize: UInt64
    /// The plain fields in their order, nested structures and subsections resolved. Empty when nothing describes them.
    public let fields: [Field]
    /// Those that are there; offsets count from the payload.
    let subsections: [SectionLayout.Subsection]

    /// The field of that path (see ``Field/path``); `[n]` behind the path of an array gives its element.
    public func field(_ path: String) -> Field? { fields.find(path) }

    /// What it takes to find these fields in a section of the same device elsewhere; nil if none are known.
    var layout: SectionLayout? {
        guard !fields.isEmpty else { return nil }
        let relative = fields.map {
            Field(path: $0.path, type: $0.type, offset: $0.offset - payloadOffset, size: $0.size, count: $0.count)
        }
        return SectionLayout(
            idstr: idstr,
            instance: instance,
            vmsdName: vmsdName,
            version: version,
            payloadSize: payloadSize,
            fields: relative,
            subsections: subsections
        )
    }
}
