import JSON
import QMP

/// The images through which a running machine reads a disk, as its QEMU tells them.
struct DiskChain: Hashable, Sendable {
    struct Image: Hashable, Sendable {
        var file: String
        /// What it takes on its volume, in bytes.
        var bytes: UInt64
    }

    /// More layers than these between a disk and the image it began with are too many: each costs QEMU a file and a lookup.
    static let limit = 16
    /// With this many, whoever adds one waits until there are fewer.
    static let longest = 2 * limit

    /// The node that the machine writes.
    let node: String
    /// Top first; the first is the one that is written.
    let images: [Image]

    /// Of a disk that began with `origin`: the layers between the one that is written and that image, or the lowest one if it is
    /// none of them (an adopted machine's disk).
    func between(origin: String?) -> ArraySlice<Image> {
        guard images.count > 2 else { return [] }
        let base = images.lastIndex { $0.file == origin } ?? images.count - 1
        return images[1..<max(1, base)]
    }

    /// The image below those ``between(origin:)``; nil when there is none.
    func base(origin: String?) -> String? {
        let end = between(origin: origin).endIndex
        return images.indices.contains(end) ? images[end].file : nil
    }
}

extension DiskChain {
    init(_ node: BlockNode) {
        self.node = node.nodeName
        var images: [Image] = []
        var image: JSONValue? = node.image
        while let here = image, let file = here["filename"]?.stringValue {
            images.append(Image(file: file, bytes: UInt64(clamping: here["actual-size"]?.int64Value ?? 0)))
            image = here["backing-image"]
        }
        self.images = images
    }
}
