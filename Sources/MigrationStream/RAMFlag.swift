/// The bits that share a word with a page's address in a RAM section.
enum RAMFlag {
    static let zero: UInt64 = 0x002
    static let memorySize: UInt64 = 0x004
    static let page: UInt64 = 0x008
    static let endOfSection: UInt64 = 0x010
    static let sameBlock: UInt64 = 0x020
    static let xbzrle: UInt64 = 0x040
    static let compressed: UInt64 = 0x100
    static let multifdFlush: UInt64 = 0x200
}
