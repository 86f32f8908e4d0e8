import MigrationStream

/// Where the sections lie, apart from what they hold and how that is named.
struct Shape: Hashable {
    struct Place: Hashable {
        var offset: UInt64
        var size: UInt64
        var payloadSize: UInt64
    }

    var places: [Place]
    var deviceStateOffset: UInt64

    init(_ stream: CheckpointStream) {
        places = stream.sections.map { Place(offset: $0.offset, size: $0.size, payloadSize: $0.payloadSize) }
        deviceStateOffset = stream.deviceStateOffset
    }
}

/// A section without what only a description can tell.
struct Bare: Hashable {
    var idstr: String
    var instance: UInt32
    var version: UInt32
    var offset: UInt64
    var size: UInt64

    init(_ section: Section) {
        idstr = section.idstr
        instance = section.instance
        version = section.version
        offset = section.offset
        size = section.size
    }
}
