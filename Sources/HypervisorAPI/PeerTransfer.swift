/// Let another host read files.
public struct GrantOrder: Codable, Hashable, Sendable {
    /// The name in its certificate.
    public var reader: String
    /// These and no others.
    public var files: [FilePlace]

    public init(reader: String, files: [FilePlace]) {
        self.reader = reader
        self.files = files
    }
}

/// What a host has to know to read from another one.
public struct ReadGrant: Codable, Hashable, Sendable {
    /// The name in the certificate of the host that is read from.
    public var host: String
    /// Of its agent, ``AgentAddress``.
    public var address: String
    /// Nobody can guess it; worth something only together with the reader's own certificate.
    public var ticket: String

    public init(host: String, address: String, ticket: String) {
        self.host = host
        self.address = address
        self.ticket = ticket
    }
}

/// Read on in a file of another host.
public struct FetchOrder: Codable, Hashable, Sendable {
    public var grant: ReadGrant
    /// On the other host.
    public var source: FilePlace
    /// A folder that something comes into (``ArrivalName``), on this one.
    public var target: FilePlace
    /// Where to go on, in bytes.
    public var offset: UInt64
    /// How large the file has to be.
    public var bytes: UInt64

    public init(grant: ReadGrant, source: FilePlace, target: FilePlace, offset: UInt64, bytes: UInt64) {
        self.grant = grant
        self.source = source
        self.target = target
        self.offset = offset
        self.bytes = bytes
    }
}

/// How far a file has come.
public struct FetchProgress: Codable, Hashable, Sendable {
    /// In the file: all before it is in its place.
    public var position: UInt64
    /// That were sent for it, without holes.
    public var sent: UInt64

    public init(position: UInt64, sent: UInt64) {
        self.position = position
        self.sent = sent
    }
}
