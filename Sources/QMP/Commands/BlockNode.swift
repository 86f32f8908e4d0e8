public import JSON

/// One node of a disk's graph: a file, or a format over it.
public struct BlockNode: Hashable, Sendable {
    /// Empty, or beginning with `#`, when nobody named it.
    public var nodeName: String
    /// `qcow2`, `raw`, `file`, …
    public var driver: String
    /// The file, or `json:{…}` where no file name says it all.
    public var file: String
    public var isReadOnly: Bool
    /// Layers below.
    public var backingDepth: Int64
    public var backingFile: String?
    /// False after the machine was saved, until it runs again; nil before QEMU 10.0.
    public var isActive: Bool?
    /// Bytes.
    public var virtualSize: Int64?
    /// What `qemu-img info` would say, with the whole chain below.
    public var image: JSONValue

    init(_ reply: ReplyReader) throws(QMPError) {
        nodeName = reply.value["node-name"]?.stringValue ?? ""
        driver = try reply.string("drv")
        file = try reply.string("file")
        isReadOnly = try reply.bool("ro")
        backingDepth = reply.value["backing_file_depth"]?.int64Value ?? 0
        backingFile = reply.value["backing_file"]?.stringValue
        isActive = reply.value["active"]?.boolValue
        virtualSize = reply.value["image"]?["virtual-size"]?.int64Value
        image = reply.value["image"] ?? .null
    }
}
