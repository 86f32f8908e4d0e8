internal import JSON

/// Turns the nested description of devices into plain fields with offsets: the bytes of a device are those of its fields
/// in their order, then those of its subsections, each structure among the fields likewise.
struct FieldResolver {
    let descriptionOffset: UInt64
    private var budget = Limits.fieldsBytes
    private var fields: [Field] = []
    private var subsections: [SectionLayout.Subsection] = []

    init(descriptionOffset: UInt64) { self.descriptionOffset = descriptionOffset }

    mutating func device(_ device: JSONValue) throws(StreamError) -> DeviceDescription {
        guard let idstr = device["name"]?.stringValue, (1...255).contains(idstr.utf8.count),
            let number = device["instance_id"]?.int64Value,
            let instance = UInt32(exactly: number) ?? Int32(exactly: number).map(UInt32.init(bitPattern:))
        else { throw malformed("a device without name or instance") }
        fields = []
        subsections = []
        let size = try structure(device, path: "", at: 0)
        let vmsdName = device["vmsd_name"]?.stringValue
        return DeviceDescription(
            idstr: idstr,
            instance: instance,
            vmsdName: vmsdName,
            version: device["version"]?.uint64Value.flatMap(UInt32.init(exactly:)),
            payloadSize: size,
            fields: vmsdName == nil ? [] : fields,
            subsections: subsections
        )
    }

    /// Resolves the fields and subsections of a structure that begins at `start` of the payload; gives its length.
    private mutating func structure(_ value: JSONValue, path: String, at start: UInt64) throws(StreamError) -> UInt64 {
        var offset = start
        for field in value["fields"]?.arrayValue ?? [] {
            // Apart from the sum: a call with the sum's arguments would hold a copy of all fields while they grow.
            let size = try self.field(field, path: path, at: offset)
            offset = try add(offset, size)
        }
        for subsection in value["subsections"]?.arrayValue ?? [] {
            guard let name = subsection["vmsd_name"]?.stringValue, (1...255).contains(name.utf8.count),
                let version = subsection["version"]?.uint64Value.flatMap(UInt32.init(exactly:))
            else { throw malformed("a subsection without name or version") }
            try spend(path)
            subsections.append(.init(name: name, version: version, offset: offset))
            offset = try add(offset, Wire.subsectionHeaderSize + UInt64(name.utf8.count))
            let size = try structure(subsection, path: "\(path)\(name).", at: offset)
            offset = try add(offset, size)
        }
        return offset - start
    }

    private mutating func field(_ value: JSONValue, path: String, at offset: UInt64) throws(StreamError) -> UInt64 {
        guard let name = value["name"]?.stringValue, name.utf8.count <= Limits.nameBytes,
            let type = value["type"]?.stringValue, type.utf8.count <= Limits.nameBytes,
            let elementSize = value["size"]?.uint64Value
        else { throw malformed("a field without name, type or size") }
        let index = value["index"]?.uint64Value
        let length = value["array_len"]?.uint64Value
        let (size, overflow) = elementSize.multipliedReportingOverflow(by: length ?? 1)
        guard !overflow else { throw malformed("a field longer than 2^64 bytes") }
        let path = path + name + (index.map { "[\($0)]" } ?? "")
        try spend(path)
        if let nested = nested(value, type: type), try resolve(nested, path, at: offset, elementSize, length) {
            return size
        }
        guard let count = Int(exactly: length ?? 1) else { throw malformed("an array of more elements than memory") }
        fields.append(Field(path: path, type: type, offset: offset, size: size, count: length == nil ? nil : count))
        return size
    }

    /// The structure that a field consists of. Lists and trees have several under the same key: they stay opaque.
    private func nested(_ value: JSONValue, type: String) -> JSONValue? {
        if let structure = value["struct"] { return structure }
        guard ["tmp", "vstruct"].contains(type), value["fields"]?.arrayValue != nil else { return Optional.none }
        return value
    }

    /// Resolves an array of structures, or a single one. false, and nothing is kept, if their length is not the one
    /// told: QEMU measures only the first element of an array, others may be longer.
    private mutating func resolve(
        _ nested: JSONValue,
        _ path: String,
        at offset: UInt64,
        _ elementSize: UInt64,
        _ length: UInt64?
    ) throws(StreamError) -> Bool {
        let before = (fields.count, subsections.count)
        for index in 0..<(length ?? 1) {
            let path = length == nil ? "\(path)." : "\(path)[\(index)]."
            try spend(path)
            let (distance, overflow) = elementSize.multipliedReportingOverflow(by: index)
            guard !overflow else { throw malformed("a field longer than 2^64 bytes") }
            let start = try add(offset, distance)
            guard try structure(nested, path: path, at: start) == elementSize else {
                fields.removeLast(fields.count - before.0)
                subsections.removeLast(subsections.count - before.1)
                return false
            }
        }
        return true
    }

    private mutating func spend(_ path: String) throws(StreamError) {
        budget -= path.utf8.count + Limits.fieldBytes
        guard budget >= 0 else {
            throw StreamError(.tooLarge, at: descriptionOffset, "it describes more fields than any machine has")
        }
    }

    private func add(_ offset: UInt64, _ size: UInt64) throws(StreamError) -> UInt64 {
        let (sum, overflow) = offset.addingReportingOverflow(size)
        guard !overflow else { throw malformed("a device longer than 2^64 bytes") }
        return sum
    }

    private func malformed(_ what: String) -> StreamError {
        StreamError(.corrupt, at: descriptionOffset, "the description of the devices has \(what)")
    }
}
