/// Why the state database could not be read or written.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        case failed
        /// A newer release has changed its tables. It was not touched.
        case newer
        /// It cannot be reached now. Of a change nobody knows then whether it was made.
        case unreachable
        /// The simulation was this control instance's to change, and was taken over by another one, which had not heard of this one for
        /// longer than allowed. Nothing was written.
        case fenced
        /// Another control instance, of that name, has the simulation. Nothing was written.
        case driven(by: String)
    }

    public var kind: Kind
    public var message: String

    public init(_ message: String, _ kind: Kind = .failed) {
        self.message = message
        self.kind = kind
    }

    public var description: String { message }
}
