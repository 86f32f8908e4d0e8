import GuestClock
import MigrationStream

extension Inspection {
    /// The outside contract's object.
    struct Document: Encodable {
        let format: String
        let method: String
        let machineType: String?
        let capabilities: [String]
        let bytes: UInt64
        let deviceStateOffset: UInt64
        let ramBlocks: [CheckpointStream.RAMBlock]
        let sections: [SectionEntry]
        let clocks: [ClockReading]
    }

    struct SectionEntry: Encodable {
        let name: String
        let vmsd: String
        let instance: UInt32
        let version: UInt32
        let offset: UInt64
        let size: UInt64
    }

    var document: Document {
        Document(
            format: stream.format.rawValue,
            method: stream.method.rawValue,
            machineType: stream.machineType,
            capabilities: stream.capabilities,
            bytes: stream.size,
            deviceStateOffset: stream.deviceStateOffset,
            ramBlocks: stream.ramBlocks,
            sections: stream.sections.map {
                SectionEntry(
                    name: $0.idstr,
                    vmsd: $0.vmsdName,
                    instance: $0.instance,
                    version: $0.version,
                    offset: $0.offset,
                    size: $0.size
                )
            },
            clocks: clocks
        )
    }
}
