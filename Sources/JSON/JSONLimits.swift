/// What a parser accepts from a peer it does not trust.
public struct JSONLimits: Hashable, Sendable {
    /// Arrays and objects inside one another: 1 allows `[]`, 0 only scalars. At most 512, because values are freed
    /// recursively on whatever stack there is.
    public var depth: Int
    /// Bytes of one document, white space inside it included. At most 256 MiB.
    public var documentBytes: Int

    public init(depth: Int = 64, documentBytes: Int = 64 << 20) {
        self.depth = min(max(depth, 0), 512)
        self.documentBytes = min(max(documentBytes, 1), 256 << 20)
    }
}
