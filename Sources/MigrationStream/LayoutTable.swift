/// Layouts of sections, found by what stands in a section's header.
struct LayoutTable {
    private struct Key: Hashable {
        var idstr: String
        var instance: UInt32
    }

    private var exact: [Key: SectionLayout] = [:]
    private var byName: [SectionLayout] = []

    init(_ layouts: [SectionLayout]) {
        for layout in layouts {
            if let idstr = layout.idstr, let instance = layout.instance {
                exact[Key(idstr: idstr, instance: instance)] = layout
            } else {
                byName.append(layout)
            }
        }
        // "spapr/rtc" before "rtc": the name that tells more.
        byName.sort { $0.vmsdName.utf8.count > $1.vmsdName.utf8.count }
    }

    var isEmpty: Bool { exact.isEmpty && byName.isEmpty }

    /// The length of the payload, if a layout of this very section is known.
    func size(of header: SectionHeader) -> Int? {
        guard let layout = exact[Key(idstr: header.idstr, instance: header.instance)],
            layout.version == header.version
        else { return nil }
        return Int(exactly: layout.payloadSize)
    }

    /// A layout that fits: version, length, and every subsection in its place.
    func find(_ header: SectionHeader, payload: ArraySlice<UInt8>) -> SectionLayout? {
        if let layout = exact[Key(idstr: header.idstr, instance: header.instance)] {
            return fits(layout, header, payload) ? layout : nil
        }
        return byName.first { layout in
            (layout.idstr ?? header.idstr) == header.idstr && (layout.instance ?? header.instance) == header.instance
                && (header.idstr == layout.vmsdName || header.idstr.hasSuffix("/" + layout.vmsdName))
                && fits(layout, header, payload)
        }
    }

    private func fits(_ layout: SectionLayout, _ header: SectionHeader, _ payload: ArraySlice<UInt8>) -> Bool {
        guard layout.version == header.version, layout.payloadSize == payload.count else { return false }
        let fieldsFit = layout.fields.allSatisfy {
            $0.offset <= layout.payloadSize && $0.size <= layout.payloadSize - $0.offset
        }
        return fieldsFit && layout.subsections.allSatisfy { matches($0, payload) }
    }

    private func matches(_ subsection: SectionLayout.Subsection, _ payload: ArraySlice<UInt8>) -> Bool {
        let name = Array(subsection.name.utf8)
        guard name.count <= 255, subsection.offset <= payload.count else { return false }
        let version = (0..<4).reversed().map { UInt8(truncatingIfNeeded: subsection.version >> ($0 * 8)) }
        let header = [Wire.subsection, UInt8(name.count)] + name + version
        return payload.dropFirst(Int(subsection.offset)).starts(with: header)
    }
}
