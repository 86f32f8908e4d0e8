import CArchive

/// Gives libarchive the bytes of a channel: it wants each piece to stay where it is until it asks for the next.
final class ArchiveInput {
    let channel: ByteChannel
    private var piece: UnsafeMutableRawBufferPointer

    init(channel: ByteChannel) {
        self.channel = channel
        piece = .allocate(byteCount: 0, alignment: 1)
    }

    deinit { piece.deallocate() }

    fileprivate func next() -> UnsafeRawBufferPointer {
        piece.deallocate()
        let bytes = channel.read() ?? []
        piece = .allocate(byteCount: bytes.count, alignment: 1)
        piece.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(piece)
    }
}

func readFromChannel(
    _: OpaquePointer?,
    client: UnsafeMutableRawPointer?,
    bytes: UnsafeMutablePointer<UnsafeRawPointer?>?
) -> Int {
    guard let client, let bytes else { return -1 }
    let piece = Unmanaged<ArchiveInput>.fromOpaque(client).takeUnretainedValue().next()
    bytes.pointee = piece.baseAddress
    return piece.count
}
