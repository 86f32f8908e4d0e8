import MigrationStream

/// The first byte says what the rest is taken for: a whole stream, the tail of one, a dump of devices, or one that RAM is taken
/// out of. Whatever it is, it must give an error or a map that holds together, and a patch must change the field that it is for
/// alone.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStream(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    do {
        switch first % 4 {
        case 3: try separate(bytes)
        case 0: try check(CheckpointStream(reading: MemorySource(bytes)), bytes, from: 0)
        case 1: try check(CheckpointStream(tail: bytes, at: tailOffset), bytes, from: tailOffset)
        default:
            let dump = try CheckpointStream(deviceDump: MemorySource(bytes), layouts: [])
            check(dump, bytes, from: 0)
            // With the layouts of itself the same sections must come out.
            let again = try? CheckpointStream(deviceDump: MemorySource(bytes), layouts: dump.layouts)
            precondition(again == dump)
        }
    } catch {
        precondition(!error.description.isEmpty)
        precondition(error.kind != .ioFailure && error.kind != .patchRefused, "\(error)")
    }
    return 0
}

private let tailOffset: UInt64 = 1 << 33

private func check(_ stream: CheckpointStream, _ bytes: [UInt8], from start: UInt64) {
    precondition(stream.size == start + UInt64(bytes.count))
    precondition(stream.deviceStateOffset <= stream.size && stream.deviceStateOffset >= start)
    var next = stream.deviceStateOffset
    for section in stream.sections {
        let end = section.offset + section.size
        precondition(section.payloadOffset == section.offset + 14 + UInt64(section.idstr.utf8.count))
        precondition(section.payloadOffset + section.payloadSize + 5 == end && end < stream.size)
        if section.offset >= stream.deviceStateOffset {
            precondition(section.offset == next, "a gap before \(section.idstr)")
            next = end
        }
        var from = section.payloadOffset
        for field in section.fields {
            precondition(field.offset >= from && field.offset + field.size <= end - 5, "\(section.idstr) \(field.path)")
            from = field.offset + field.size
        }
    }
    precondition(bytes[Int(next - start)] == 0, "the list of sections does not end behind the last one")

    let field = stream.sections.lazy.flatMap(\.fields).first { $0.type == "int64" && $0.size == 8 && $0.count == nil }
    guard let field, let source = try? MemorySource(tail: bytes, at: start),
        let patch = try? source.patch(field, to: Int64(-2))
    else { return }
    var patched = bytes
    guard let set = try? PatchSet([patch], for: stream) else {
        preconditionFailure("\(field.path) is outside all devices")
    }
    guard (try? set.apply(to: &patched, bufferOffset: start)) != nil,
        let after = try? MemorySource(tail: patched, at: start)
    else { preconditionFailure("the patch was made for these bytes") }
    precondition((try? after.integer(field, as: Int64.self)) == -2)
}

/// RAM of the largest block is taken out, in pieces of a size that the input itself says.
private func separate(_ bytes: [UInt8]) throws(StreamError) {
    let block = (try? CheckpointStream(reading: MemorySource(bytes)))?.ramBlocks.max { $0.length < $1.length }
    guard let block, let last = bytes.last else { return }
    var separator = RAMSeparator(block: block.name, blockBytes: block.length, pageSize: 4096)
    let step = 1 + Int(last) * 61
    var (start, end) = (0, 0)
    while start < bytes.count {
        if end > start, let piece = try separator.next(in: bytes, start..<end) {
            precondition(piece.length > 0 && start + piece.length <= end)
            if let page = piece.page {
                precondition(page.offset < block.length)
                precondition(page.start.map { piece.length - $0 == 4096 } ?? true)
            }
            start += piece.length
        } else if end == bytes.count {
            return
        } else {
            end = min(end + step, bytes.count)
        }
    }
}
