internal import JSON

/// What the description at the end of a stream tells of one device.
struct DeviceDescription {
    var idstr: String
    var instance: UInt32
    /// Both nil for old-style devices, whose bytes nothing describes.
    var vmsdName: String?
    var version: UInt32?
    var payloadSize: UInt64
    /// Offsets count from the beginning of the payload.
    var fields: [Field]
    var subsections: [SectionLayout.Subsection]

    var layout: SectionLayout? {
        guard let vmsdName, let version else { return nil }
        return SectionLayout(
            idstr: idstr,
            instance: instance,
            vmsdName: vmsdName,
            version: version,
            payloadSize: payloadSize,
            fields: fields,
            subsections: subsections
        )
    }
}

/// The description at the end of a stream.
struct StreamDescription {
    var pageSize: UInt64?
    /// In the order they were saved.
    var devices: [DeviceDescription] = []

    /// - Parameter offset: where in the stream the text begins, for errors.
    init(json bytes: [UInt8], at offset: UInt64) throws(StreamError) {
        guard bytes.lazy.filter({ $0 == UInt8(ascii: ",") }).count < Limits.descriptionValues else {
            throw StreamError(.tooLarge, at: offset, "it describes more devices than any machine has")
        }
        let root: JSONValue
        do {
            root = try JSONValue(
                parsing: bytes,
                limits: JSONLimits(depth: Limits.descriptionDepth, documentBytes: max(bytes.count, 1))
            )
        } catch {
            throw StreamError(.corrupt, at: offset, "the description of the devices is not JSON: \(error)")
        }
        guard let devices = root["devices"]?.arrayValue else {
            throw StreamError(.corrupt, at: offset, "the description of the devices does not list any")
        }
        pageSize = root["page_size"]?.uint64Value
        var resolver = FieldResolver(descriptionOffset: offset)
        self.devices.reserveCapacity(devices.count)
        for device in devices { self.devices.append(try resolver.device(device)) }
    }
}
