/// Patches that are known to touch nothing but device payloads of one stream, and no byte twice.
public struct PatchSet: Hashable, Sendable {
    /// In the order of their offsets.
    public let patches: [Patch]

    /// - Throws: `patchRefused` if a patch is empty, changes its length, overlaps another one, or is not within the
    ///   payload of one section of `stream`: RAM, configuration, headers, footers and the description stay as they are.
    public init(_ patches: [Patch], for stream: CheckpointStream) throws(StreamError) {
        let sorted = patches.sorted { $0.offset < $1.offset }
        let sections = stream.sections.sorted { $0.offset < $1.offset }
        var next = sections.startIndex
        var free: UInt64 = 0
        for patch in sorted {
            guard !patch.old.isEmpty, patch.old.count == patch.new.count else {
                throw StreamError(
                    .patchRefused,
                    at: patch.offset,
                    "\(patch.old.count) bytes cannot become \(patch.new.count); a patch keeps the length, at least 1"
                )
            }
            let (end, overflow) = patch.offset.addingReportingOverflow(UInt64(patch.old.count))
            guard !overflow, patch.offset >= free else {
                throw StreamError(.patchRefused, at: patch.offset, "another patch reaches into the same bytes")
            }
            while next < sections.endIndex, sections[next].offset + sections[next].size <= patch.offset { next += 1 }
            guard next < sections.endIndex, sections[next].payloadOffset <= patch.offset,
                end <= sections[next].payloadOffset + sections[next].payloadSize
            else {
                throw StreamError(.patchRefused, at: patch.offset, "it is not within the state of one device")
            }
            free = end
        }
        self.patches = sorted
    }

    /// Patches bytes that are held in memory: the stream or the end of it.
    ///
    /// All or nothing: every patch is checked before the first one is made.
    /// - Parameter bufferOffset: where in the stream the first of `bytes` lies.
    /// - Throws: `patchRefused` if a patch is not within `bytes` or other bytes stand there than it names.
    public func apply(to bytes: inout [UInt8], bufferOffset: UInt64 = 0) throws(StreamError) {
        let source = try MemorySource(tail: bytes, at: bufferOffset)
        try check(against: source)
        for patch in patches {
            let first = Int(patch.offset - bufferOffset)
            bytes.replaceSubrange(first..<first + patch.new.count, with: patch.new)
        }
    }

    /// Patches a file in place: a private copy, open for reading and writing. Does not sync it.
    ///
    /// Every patch is checked before the first one is made. When writing fails, the copy is worthless.
    /// - Throws: `patchRefused` if other bytes stand there than a patch names, `ioFailure`.
    public func apply(toFile descriptor: Int32) throws(StreamError) {
        try check(against: FileSource(descriptor: descriptor))
        for patch in patches { try descriptor.writeAll(patch.new, at: patch.offset) }
    }

    private func check(against source: some StreamSource) throws(StreamError) {
        for patch in patches {
            let found: [UInt8]
            do { found = try source.read(at: patch.offset, count: patch.old.count) } catch
                where error.kind == .truncated
            {
                throw StreamError(.patchRefused, at: patch.offset, error.reason)
            }
            guard found == patch.old else {
                throw StreamError(
                    .patchRefused,
                    at: patch.offset,
                    "the bytes there are not those that the patch was made for; it belongs to another checkpoint"
                )
            }
        }
    }
}
