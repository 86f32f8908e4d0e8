import HypervisorAPI

/// A link whose machines are not yet looked up.
struct LinkDraft {
    var spec: LinkSpec
    /// Of its name.
    var place: Place
    /// Of each end.
    var ends: [Place]
}

enum LinkKeys {
    static let name = Key("name", ValueType<String>.name(of: "link"), required: true, "the link's name")
    static let kind = Key(
        "kind",
        ValueType<LinkSpec.Kind>.word,
        standard: "dgram",
        "an Ethernet cable (`dgram`, `stream`) or a serial line (`serial`)"
    )
    static let between = Key(
        "between",
        ValueType<[Placed<LinkSpec.End>]>.list(of: EndKeys.either, atLeast: 2, "a list of two machines"),
        required: true,
        "its two machines"
    )

    static let type = ValueType<LinkDraft>.object(
        "a link",
        label: "a link's mapping",
        keys: [name.description, kind.description, between.description]
    ) { object in
        let name = object(name)
        let kind = object(kind) ?? .dgram
        let ends = object(between)
        guard let name, let ends else { return nil }
        if ends.count > 2 {
            object.reading.report("expected a list of two machines, found \(ends.count)", at: object.place(of: between))
        }
        guard ends.count == 2 else { return nil }
        for end in ends where kind == .serial && (end.value.device != nil || end.value.mac != nil) {
            object.reading.report("a serial line has no 'device' and no 'mac'", at: end.place)
        }
        let spec = LinkSpec(name: name, kind: kind, ends: ends.map(\.value))
        return LinkDraft(spec: spec, place: object.place(of: Self.name), ends: ends.map(\.place))
    }
}
