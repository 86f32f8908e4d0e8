import Console
import GuestClock
import MigrationStream

extension Inspection {
    /// The outside contract's object.
    struct Document: Encodable {
        let format: String
        let method: String
        let machineType: String?
        let qemu: QEMU?
        let capabilities: [String]
        let bytes: UInt64
        let deviceStateOffset: UInt64
        let ramBlocks: [CheckpointStream.RAMBlock]
        let sections: [SectionEntry]
        let clocks: [ClockReading]
        /// As in an error's object, when the clocks cannot be read.
        let code: String?
        let detail: String?
        let exitCode: Int
    }

    /// A stream does not name the QEMU that wrote it; what is in it tells the oldest one that can have.
    struct QEMU: Encodable {
        let atLeast: String
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
            qemu: oldestRelease.map { QEMU(atLeast: $0.description) },
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
            clocks: clocks,
            code: clockFailure?.problem.code,
            detail: clockFailure?.problem.detail,
            exitCode: Int(clockFailure?.status.rawValue ?? 0)
        )
    }

    /// A versioned machine type comes with the release of its version, mapped-ram files with 9.0.
    private var oldestRelease: QEMURelease? {
        var releases: [QEMURelease] = []
        if stream.format == .mappedRAM { releases.append(QEMURelease(major: 9, minor: 0)) }
        let version = stream.machineType?.split(separator: "-").last?.split(separator: ".").map { Int($0) } ?? []
        if version.count == 2, let major = version[0], let minor = version[1] {
            releases.append(QEMURelease(major: major, minor: minor))
        }
        return releases.max()
    }
}
