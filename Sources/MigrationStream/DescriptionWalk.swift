/// Finds the devices of a stream that describes them: from the last to the first, each verified by its own header and
/// footer, so that neither RAM nor what a device holds is ever searched.
struct DescriptionWalk<Source: StreamSource> {
    let source: Source
    /// Offset of the first byte that can belong to a section.
    let start: UInt64

    struct Result {
        var sections: [Section]
        /// Those that the description lists first and that are not right before the others: saved before RAM.
        var early: ArraySlice<DeviceDescription>
        /// Why the first of the others is not there.
        var mismatch: StreamError?
        /// Offset of the first device.
        var offset: UInt64
    }

    /// - Parameter end: offset of the byte that ends the list of sections.
    func sections(_ devices: [DeviceDescription], before end: UInt64) throws(StreamError) -> Result {
        var sections: [Section] = []
        var end = end
        for (index, device) in devices.enumerated().reversed() {
            do {
                let section = try section(device, before: end)
                end = section.offset
                sections.append(section)
            } catch  where error.kind == .corrupt {
                return Result(
                    sections: sections.reversed(),
                    early: devices[...index],
                    mismatch: error,
                    offset: end
                )
            }
        }
        return Result(sections: sections.reversed(), early: [], mismatch: nil, offset: end)
    }

    private func section(_ device: DeviceDescription, before end: UInt64) throws(StreamError) -> Section {
        let framing = Wire.headerSize + UInt64(device.idstr.utf8.count) + Wire.footerSize
        let (size, overflow) = device.payloadSize.addingReportingOverflow(framing)
        guard !overflow, end >= start, size <= end - start else {
            throw StreamError(.corrupt, at: end, in: device.idstr, "there is no room for the \(size) bytes described")
        }
        let offset = end - size
        let headerSize = framing - Wire.footerSize
        let bytes = try source.read(at: offset, count: Int(headerSize))
        guard let header = SectionHeader(bytes, at: 0), header.idstr == device.idstr,
            header.instance == device.instance, device.version == nil || device.version == header.version
        else {
            throw StreamError(.corrupt, at: offset, in: device.idstr, "its header is not where its description says")
        }
        let footer = try source.read(at: end - Wire.footerSize, count: Int(Wire.footerSize))
        guard footer[0] == Wire.footer, footer.uint32(at: 1) == header.id else {
            throw StreamError(
                .corrupt,
                at: end - Wire.footerSize,
                in: device.idstr,
                "it does not end with a footer of its number \(header.id)"
            )
        }
        return Section(
            header,
            payload: offset + headerSize..<end - Wire.footerSize,
            at: offset,
            layout: device.layout
        )
    }
}
