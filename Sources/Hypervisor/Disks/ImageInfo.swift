/// What `qemu-img info` says about an image. The image's bytes may be a guest's work: nothing here is to be trusted further
/// than its form.
struct ImageInfo: Hashable, Sendable {
    var path: String
    var format: String
    /// Bytes that the guest sees.
    var virtualSize: UInt64
    /// Absolute; nil for an image that stands alone.
    var backingFile: String?
    var backingFormat: String?
    /// Where the data of a qcow2 image lies that has its metadata alone.
    var dataFile: String?
}
