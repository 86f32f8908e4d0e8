/// What a stream may ask of its reader. Each is several times what the largest machines have.
enum Limits {
    /// Bytes of the JSON at the end. A processor of the x86 family takes 8 kB, all the rest of a machine 100 kB.
    static let descriptionBytes: UInt64 = 32 << 20
    /// Values in it, which take far more memory than text.
    static let descriptionValues = 4 << 20
    static let descriptionDepth = 128
    /// Bytes that field paths of one stream take together, with ``fieldBytes`` for each field.
    static let fieldsBytes = 128 << 20
    static let fieldBytes = 96
    static let nameBytes = 256
    static let ramBlocks = 1 << 16
    /// Bytes behind RAM that are searched when nothing describes them.
    static let tailBytes: UInt64 = 256 << 20
    /// Pairs of a section header and a footer tried in such a search.
    static let links = 1 << 22
    /// Bytes of a section that precedes RAM.
    static let earlySectionBytes: UInt64 = 1 << 20
}
