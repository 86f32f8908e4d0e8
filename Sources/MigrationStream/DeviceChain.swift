/// Finds the devices of a stream that does not describe them: headers and footers that lead, each right behind the one
/// before, from the first device to the end of the list.
///
/// Device state holds bytes that a guest chose, and a guest can choose bytes that look like a footer and a header.
/// So every chain is counted, and more than one is an error rather than a guess.
struct DeviceChain {
    private let bytes: [UInt8]
    /// Offset of the first of ``bytes`` in the stream.
    private let base: UInt64
    private let layouts: LayoutTable

    /// What leads on from a header.
    private struct Way {
        /// Where its payload ends.
        var payloadEnd: Int
        /// Whether it can end elsewhere, too.
        var forks: Bool
    }

    init(_ bytes: [UInt8], at base: UInt64, layouts: [SectionLayout]) {
        self.bytes = bytes
        self.base = base
        self.layouts = LayoutTable(layouts)
    }

    /// - Parameter start: index of the first header.
    /// - Returns: the sections, the last one followed by the byte that ends the list.
    func sections(from start: Int) throws(StreamError) -> [Section] {
        if isEnd(start) { return [] }
        do {
            return try follow(ways(trusting: false), from: start)
        } catch  where error.kind == .corrupt && !layouts.isEmpty {
            // Several chains: the one that the machine's own layouts tell, where they tell.
            guard let sections = try? follow(ways(trusting: true), from: start) else { throw error }
            return sections
        }
    }

    private func follow(_ ways: [Int: Way], from start: Int) throws(StreamError) -> [Section] {
        var sections: [Section] = []
        var index = start
        while !isEnd(index) {
            let offset = base + UInt64(index)
            guard let header = SectionHeader(bytes, at: index), let way = ways[index] else {
                let hasEnd = bytes.indices.contains { bytes[$0] == Wire.footer && isEnd($0 + 5) }
                throw StreamError(
                    hasEnd ? .corrupt : .truncated,
                    at: offset,
                    "no sections follow one another from here to the end of the stream"
                )
            }
            guard !way.forks else {
                throw StreamError(
                    .corrupt,
                    at: offset,
                    in: header.idstr,
                    "it can end in several places, and only the description that is missing can tell which is right"
                )
            }
            let payload = index + Int(header.size)
            sections.append(
                Section(
                    header,
                    payload: base + UInt64(payload)..<base + UInt64(way.payloadEnd),
                    at: offset,
                    layout: layouts.find(header, payload: bytes[payload..<way.payloadEnd])
                )
            )
            index = way.payloadEnd + 5
        }
        return sections
    }

    /// Every header from which the end of the list can be reached.
    ///
    /// - Parameter trusting: whether a section that has a layout must end where that says.
    private func ways(trusting: Bool) throws(StreamError) -> [Int: Way] {
        var ways: [Int: Way] = [:]
        // Footers behind which a way leads on, by section number, the last one first.
        var footers: [UInt32: [Int]] = [:]
        var links = 0
        for index in bytes.indices.dropLast(5).reversed() {
            if bytes[index] == Wire.footer {
                if ways[index + 5] != nil || isEnd(index + 5) {
                    footers[bytes.uint32(at: index + 1), default: []].append(index)
                }
            } else if bytes[index] == Wire.sectionFull, let header = SectionHeader(bytes, at: index) {
                let payload = index + Int(header.size)
                let told = trusting ? layouts.size(of: header).map { payload + $0 } : nil
                for footer in footers[header.id] ?? [] where footer >= payload && (told ?? footer) == footer {
                    links += 1
                    guard links <= Limits.links else {
                        throw StreamError(.tooLarge, at: base, "too many bytes look like headers and footers")
                    }
                    ways[index] = Way(payloadEnd: footer, forks: ways[index] != nil)
                }
            }
        }
        return ways
    }

    /// Whether the list of sections ends at `index`: with its end byte, then nothing or a description.
    private func isEnd(_ index: Int) -> Bool {
        guard index < bytes.count, bytes[index] == Wire.end else { return false }
        guard index + 1 < bytes.count else { return true }
        guard bytes[index + 1] == Wire.description else { return false }
        return index + 6 >= bytes.count || bytes[index + 6] == UInt8(ascii: "{")
    }
}
