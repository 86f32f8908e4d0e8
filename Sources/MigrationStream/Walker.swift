/// Walks a stream from its first section to its first device, over RAM and whatever else is saved while a guest runs.
struct Walker<Source: StreamSource> {
    var cursor: Cursor<Source>
    let head: StreamHead
    let pageSize: UInt64
    /// What is known of sections that may precede RAM.
    let layouts: [SectionLayout]

    /// Sections that come in parts, by their number.
    private(set) var iterables: [UInt32: String] = [:]
    private var anyEnded = false
    var ramBlocks: [RAMBlock] = []
    /// Words that carry a page, of whatever form.
    var pageCount: UInt64 = 0
    /// Devices saved before RAM.
    private(set) var early: [Section] = []

    typealias RAMBlock = CheckpointStream.RAMBlock

    init(_ source: Source, head: StreamHead, pageSize: UInt64, layouts: [SectionLayout]) {
        cursor = Cursor(source, at: head.size)
        self.head = head
        self.pageSize = pageSize
        self.layouts = layouts
    }

    /// Walks over what is written before the first page: the sections' beginnings and the early devices.
    mutating func walkSetup() throws(StreamError) {
        while let type = try cursor.peek(), type != Wire.sectionPart, type != Wire.sectionEnd { try element(type) }
    }

    /// Walks to the first device and stops before it.
    mutating func walkToDevices() throws(StreamError) {
        while let type = try cursor.peek(), type != Wire.end {
            if type == Wire.sectionFull, anyEnded { break }
            try element(type)
        }
        guard cursor.remaining > 0 else {
            throw StreamError(.truncated, at: cursor.position, "it ends before the first device")
        }
        guard anyEnded else {
            throw StreamError(.corrupt, at: cursor.position, "it has no RAM section that ends before the first device")
        }
        guard pageCount > 0 || ramBlocks.isEmpty || head.isMappedRAM || head.ignoresShared else {
            throw StreamError(
                .unsupported,
                at: cursor.position,
                "it has no RAM pages; they went through other connections (capability multifd)"
            )
        }
    }

    private mutating func element(_ type: UInt8) throws(StreamError) {
        let start = cursor.position
        try cursor.skip(1)
        switch type {
        case Wire.sectionStart:
            let header = try SectionHeader(after: &cursor)
            guard iterables.updateValue(header.idstr, forKey: header.id) == nil else {
                throw StreamError(.corrupt, at: start, in: header.idstr, "section number \(header.id) begins twice")
            }
            try payload(of: header.idstr, isStart: true, at: start)
            try footer(header.id, of: header.idstr)
        case Wire.sectionPart, Wire.sectionEnd:
            let id = try cursor.uint32()
            guard let idstr = iterables[id] else {
                throw StreamError(.corrupt, at: start, "section number \(id) goes on, but never began")
            }
            try payload(of: idstr, isStart: false, at: start)
            try footer(id, of: idstr)
            if type == Wire.sectionEnd { anyEnded = true }
        case Wire.sectionFull:
            try earlyDevice(at: start)
        case Wire.command:
            try command(at: start)
        default:
            throw StreamError(.corrupt, at: start, "no section begins with byte \(type)")
        }
    }

    private mutating func payload(of idstr: String, isStart: Bool, at start: UInt64) throws(StreamError) {
        switch idstr {
        case "ram": try ram()
        case "spapr/htab": try hashTable(isStart: isStart)
        case "s390-storage_attributes": try storageAttributes()
        default:
            throw StreamError(.unsupported, at: start, in: idstr, "the length of such a section is not told anywhere")
        }
    }

    private mutating func footer(_ id: UInt32, of idstr: String) throws(StreamError) {
        let start = cursor.position
        let byte = try cursor.byte()
        guard byte == Wire.footer else {
            guard byte >= Wire.sectionStart, byte <= Wire.command, byte != Wire.subsection else {
                throw StreamError(.corrupt, at: start, in: idstr, "its footer is missing")
            }
            throw StreamError(
                .unsupported,
                at: start,
                in: idstr,
                "its footer is missing; save without -global migration.send-section-footer=off"
            )
        }
        let found = try cursor.uint32()
        guard found == id else {
            throw StreamError(.corrupt, at: start, in: idstr, "it began with number \(id) and ends with \(found)")
        }
    }

    private mutating func command(at start: UInt64) throws(StreamError) {
        let command = try cursor.uint16()
        let length = try cursor.uint16()
        switch command {
        case 1, 2, 11: try cursor.skip(UInt64(length))
        case 3...10:
            throw StreamError(.unsupported, at: start, "it was written for postcopy or COLO; save without them")
        default: throw StreamError(.corrupt, at: start, "QEMU has no command \(command)")
        }
    }

    private mutating func earlyDevice(at start: UInt64) throws(StreamError) {
        let header = try SectionHeader(after: &cursor)
        let payload = cursor.position
        let known = layouts.first { $0.idstr == header.idstr && $0.instance == header.instance }
        if let known { try cursor.skip(known.payloadSize) } else { try cursor.skip(searchFooter(of: header)) }
        let end = cursor.position
        try footer(header.id, of: header.idstr)
        early.append(
            Section(header, payload: payload..<end, at: start, layout: known?.version == header.version ? known : nil)
        )
    }

    /// The distance to the footer of a section that nothing describes: the first that another section's beginning follows.
    private func searchFooter(of header: SectionHeader) throws(StreamError) -> UInt64 {
        let count = min(Limits.earlySectionBytes, cursor.remaining)
        let bytes = try cursor.source.read(at: cursor.position, count: Int(count))
        for index in bytes.indices.dropLast(5) where bytes[index] == Wire.footer {
            let next = index + 5
            let follows =
                switch bytes[next] {
                case Wire.sectionStart, Wire.sectionFull: SectionHeader(bytes, at: next, type: bytes[next]) != nil
                case Wire.sectionPart: next + 5 <= bytes.count && iterables[bytes.uint32(at: next + 1)] != nil
                default: false
                }
            if follows, bytes.uint32(at: index + 1) == header.id { return UInt64(index) }
        }
        throw StreamError(.corrupt, at: cursor.position, in: header.idstr, "its end is nowhere to be found")
    }
}

extension Section {
    /// - Parameter layout: fits, which the caller has checked.
    init(_ header: SectionHeader, payload: Range<UInt64>, at offset: UInt64, layout: SectionLayout?) {
        self.init(
            idstr: header.idstr,
            vmsdName: layout?.vmsdName ?? header.idstr,
            instance: header.instance,
            version: header.version,
            offset: offset,
            size: payload.upperBound + Wire.footerSize - offset,
            payloadOffset: payload.lowerBound,
            payloadSize: payload.upperBound - payload.lowerBound,
            // Offsets within a payload that lies within the stream: the sum fits.
            fields: layout?.fields.compactMap { $0.moved(by: payload.lowerBound) } ?? [],
            subsections: layout?.subsections ?? []
        )
    }
}
