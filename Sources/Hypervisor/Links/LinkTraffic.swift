import HypervisorAPI

/// What was on its way towards one machine in one link.
struct LinkTraffic: Hashable, Sendable {
    var link: String
    var kind: LinkSpec.Kind
    /// The machine that had not yet read it.
    var towards: String
    /// Whole frames for `dgram`; at most one piece for the byte streams. No piece is empty.
    var frames: [[UInt8]]

    var isEmpty: Bool { frames.isEmpty }

    /// As they lie in a checkpoint's file, one after the other.
    var bytes: [UInt8] { Array(frames.joined()) }
    var frameSizes: [Int] { frames.map(\.count) }

    init(link: String, kind: LinkSpec.Kind, towards: String, frames: [[UInt8]]) {
        self.link = link
        self.kind = kind
        self.towards = towards
        self.frames = frames
    }

    /// Out of a checkpoint.
    /// - Throws: when the sizes do not add up to the file.
    init(_ checkpoint: LinkCheckpoint, kind: LinkSpec.Kind, bytes: [UInt8]) throws(HypervisorError) {
        var frames: [[UInt8]] = []
        var rest = bytes[...]
        for size in checkpoint.frameSizes {
            guard size > 0, size <= rest.count else { break }
            frames.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        guard rest.isEmpty, frames.count == checkpoint.frameSizes.count else {
            throw HypervisorError(
                code: "checkpoint-corrupt",
                machine: checkpoint.towards,
                message: "the frames of link '\(checkpoint.link)' do not add up to \(checkpoint.file.path)"
            )
        }
        self.init(link: checkpoint.link, kind: kind, towards: checkpoint.towards, frames: frames)
    }
}
