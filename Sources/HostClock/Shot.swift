public import Time

/// One prepared write of an instant: what goes to whom, and how early.
public struct Shot: Hashable, Sendable {
    /// A connected stream socket. `arm` takes a duplicate, so that a number which is closed and given out again before
    /// the instant never gets these bytes.
    public var descriptor: Int32
    /// The whole message, serialised.
    public var bytes: [UInt8]
    /// How long before the instant it leaves, so that the peer acts on the instant: 0 to ``longestLead``.
    public var lead: Span

    public init(descriptor: Int32, bytes: [UInt8], lead: Span = .zero) {
        self.descriptor = descriptor
        self.bytes = bytes
        self.lead = lead
    }

    /// The shots of a volley are waited for by spinning; a longer lead would take the processor from the machines.
    public static let longestLead = Span.milliseconds(50)
}
