/// How the payload of one device is laid out: what it takes to read a stream that does not describe itself.
public struct SectionLayout: Hashable, Codable, Sendable {
    /// A nested part that is there or not, depending on the device's state. Its header stands at `offset`.
    public struct Subsection: Hashable, Codable, Sendable {
        public let name: String
        public let version: UInt32
        /// From the beginning of the payload.
        public let offset: UInt64

        public init(name: String, version: UInt32, offset: UInt64) {
            self.name = name
            self.version = version
            self.offset = offset
        }
    }

    /// The section's name in the stream; nil fits every section that is called ``vmsdName`` or `…/vmsdName`.
    public let idstr: String?
    /// nil fits every instance.
    public let instance: UInt32?
    public let vmsdName: String
    public let version: UInt32
    public let payloadSize: UInt64
    /// Offsets count from the beginning of the payload.
    public let fields: [Field]
    public let subsections: [Subsection]

    public init(
        idstr: String? = nil,
        instance: UInt32? = nil,
        vmsdName: String,
        version: UInt32,
        payloadSize: UInt64,
        fields: [Field],
        subsections: [Subsection] = []
    ) {
        self.idstr = idstr
        self.instance = instance
        self.vmsdName = vmsdName
        self.version = version
        self.payloadSize = payloadSize
        self.fields = fields
        self.subsections = subsections
    }

    public func field(_ path: String) -> Field? { fields.find(path) }
}
