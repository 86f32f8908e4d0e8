/// The bytes that QEMU frames a stream with. All integers are big-endian.
enum Wire {
    static let magic: UInt32 = 0x5145_564d
    static let version: UInt32 = 3

    static let end: UInt8 = 0x00
    static let sectionStart: UInt8 = 0x01
    static let sectionPart: UInt8 = 0x02
    static let sectionEnd: UInt8 = 0x03
    static let sectionFull: UInt8 = 0x04
    static let subsection: UInt8 = 0x05
    static let description: UInt8 = 0x06
    static let configuration: UInt8 = 0x07
    static let command: UInt8 = 0x08
    static let footer: UInt8 = 0x7e

    /// Footer byte and section id.
    static let footerSize: UInt64 = 5
    /// Section header without its name: type, id, length of the name, instance, version.
    static let headerSize: UInt64 = 14
    /// Subsection header without its name: type, length of the name, version.
    static let subsectionHeaderSize: UInt64 = 6
    /// Description byte and length.
    static let descriptionHeaderSize: UInt64 = 5
}
