extension CheckpointStream {
    /// Maps a whole stream: from its end by the description there, or, without one, by a walk from the beginning.
    public init(reading source: some StreamSource) throws(StreamError) {
        let head = try StreamHead(reading: source)
        var failure: StreamError?
        var description: StreamDescription?
        for place in try StreamDescription.places(in: source, from: head.size) {
            do {
                let found = try StreamDescription(at: place, in: source)
                description = found
                self = try Self(source, head, found, before: place.offset - 1)
                return
            } catch  where [.corrupt, .truncated, .tooLarge].contains(error.kind) {
                failure = failure ?? error
            }
        }
        do {
            self = try Self(walking: source, head, description)
        } catch  where [.corrupt, .truncated].contains(error.kind) {
            // What contradicts the description says more than where the walk without it ended.
            throw failure ?? error
        }
    }

    /// Maps the end of a classic stream that is under way.
    ///
    /// - Parameters:
    ///   - tail: the last bytes of the stream, at least from the first device to the end. If the stream does not
    ///     describe itself, exactly those.
    ///   - offset: where in the whole stream the first of them lies.
    public init(tail: [UInt8], at offset: UInt64) throws(StreamError) {
        let source = try MemorySource(tail: tail, at: offset)
        guard let place = try StreamDescription.places(in: source, from: offset).first else {
            let sections = try DeviceChain(tail, at: offset, layouts: []).sections(from: 0)
            self.init(source, nil, .sequential, sections, from: offset)
            return
        }
        let description = try StreamDescription(at: place, in: source)
        let walk = DescriptionWalk(source: source, start: offset)
        let devices = try walk.sections(description.devices, before: place.offset - 1)
        // The only devices that QEMU saves before RAM; they cannot be verified here.
        if let mismatch = devices.mismatch, !devices.early.allSatisfy({ $0.vmsdName == "virtio-mem-device-early" }) {
            throw mismatch
        }
        self.init(source, nil, .vmdescription, devices.sections, from: devices.offset)
    }

    /// Maps what `xen-save-devices-state` wrote: devices with neither configuration nor description.
    ///
    /// A section gets ``Section/fields`` where a layout has its name, instance, version, length and subsections. A device
    /// that has other subsections now than when the layout was made therefore has none; it is still found and bounded.
    /// Whether it can be told where every section ends without a layout depends on their bytes: if not, that is an error.
    /// - Parameter layouts: ``layouts`` of a checkpoint of the same machine, or fixed tables.
    public init(deviceDump source: some StreamSource, layouts: [SectionLayout]) throws(StreamError) {
        let head = try StreamHead(reading: source)
        guard head.machineType == nil else {
            throw StreamError(
                .unsupported,
                at: 8,
                "it has a configuration: a whole stream, not a dump of devices alone"
            )
        }
        let sections = try Self.chain(source, from: head.size, layouts)
        self.init(source, head, .sequential, sections, from: head.size, format: .deviceDump)
    }

    /// By the description.
    private init(
        _ source: some StreamSource,
        _ head: StreamHead,
        _ description: StreamDescription,
        before end: UInt64
    ) throws(StreamError) {
        let devices = try DescriptionWalk(source: source, start: head.size).sections(description.devices, before: end)
        let early = devices.early.compactMap(\.layout)
        let pageSize = head.pageSize ?? description.pageSize ?? 4096
        var walker = Walker(source, head: head, pageSize: pageSize, layouts: early)
        var iterables: [UInt32: String]?
        do {
            try walker.walkSetup()
            iterables = walker.iterables
            // So little between the beginning and the devices is looked through to see whether there is RAM at all.
            let between = devices.offset.subtractingReportingOverflow(walker.cursor.position)
            if !between.overflow, between.partialValue < 1 << 16 { try walker.walkToDevices() }
        } catch  where error.kind == .corrupt || error.kind == .truncated || error.section != nil {
            // A section of a private format: what lies before the devices stays unknown, and they need not know it.
        }
        guard walker.early.count == devices.early.count else {
            throw devices.mismatch ?? StreamError(.corrupt, at: head.size, "it saves devices that it does not describe")
        }
        let end = devices.offset - Wire.footerSize
        let footer = try source.read(at: end, count: Int(Wire.footerSize))
        guard end >= head.size, footer[0] == Wire.footer, iterables.map({ $0[footer.uint32(at: 1)] != nil }) ?? true
        else {
            throw devices.mismatch
                ?? StreamError(.corrupt, at: end, "the first device that is described does not come right behind RAM")
        }
        let sections = walker.early + devices.sections
        self.init(source, head, .vmdescription, sections, from: devices.offset, ramBlocks: walker.ramBlocks)
    }

    /// By a walk from the beginning.
    private init(
        walking source: some StreamSource,
        _ head: StreamHead,
        _ description: StreamDescription?
    ) throws(StreamError) {
        var cursor = Cursor(source, at: head.size)
        if head.machineType == nil, try cursor.peek() == Wire.sectionFull {
            try self.init(deviceDump: source, layouts: [])
            return
        }
        let layouts = description?.devices.compactMap(\.layout) ?? []
        let walker = try Self.walk(source, head, pageSize: description?.pageSize, layouts)
        let offset = walker.cursor.position
        let sections = try Self.chain(source, from: offset, layouts)
        self.init(source, head, .sequential, walker.early + sections, from: offset, ramBlocks: walker.ramBlocks)
    }

    private static func walk<Source>(
        _ source: Source,
        _ head: StreamHead,
        pageSize: UInt64?,
        _ layouts: [SectionLayout]
    ) throws(StreamError) -> Walker<Source> {
        // Only the size of a page is not told by the stream itself; 8 KiB is that of sparc64 and alpha, 1 KiB of old ARM.
        let told = head.pageSize ?? pageSize
        var failure: StreamError?
        for size in told.map({ [$0] }) ?? [4096, 8192, 16384, 1024] {
            var walker = Walker(source, head: head, pageSize: size, layouts: layouts)
            do {
                try walker.walkToDevices()
                return walker
            } catch  where error.kind == .corrupt || error.kind == .truncated {
                failure = failure ?? error
            }
        }
        throw failure ?? StreamError(.corrupt, at: head.size, "its pages have no size")
    }

    private static func chain(
        _ source: some StreamSource,
        from offset: UInt64,
        _ layouts: [SectionLayout]
    ) throws(StreamError) -> [Section] {
        guard source.size - offset <= Limits.tailBytes else {
            throw StreamError(.tooLarge, at: offset, "no machine has \(source.size - offset) bytes of device state")
        }
        let tail = try source.read(at: offset, count: Int(source.size - offset))
        return try DeviceChain(tail, at: offset, layouts: layouts).sections(from: 0)
    }

    private init(
        _ source: some StreamSource,
        _ head: StreamHead?,
        _ method: Method,
        _ sections: [Section],
        from deviceStateOffset: UInt64,
        format: Format? = nil,
        ramBlocks: [RAMBlock] = []
    ) {
        self.format = format ?? (head?.isMappedRAM == true ? .mappedRAM : .classic)
        self.method = method
        machineType = head?.machineType
        capabilities = head?.capabilities ?? []
        targetPageBits = head?.targetPageBits
        uuid = head?.uuid
        headerSize = head?.size ?? 0
        self.deviceStateOffset = deviceStateOffset
        size = source.size
        self.sections = sections
        self.ramBlocks = ramBlocks
    }
}
