import JSON

/// What QEMU says of itself when a monitor connection opens.
public struct QMPGreeting: Hashable, Sendable {
    public struct Version: Hashable, Comparable, Sendable {
        public var major: Int
        public var minor: Int
        public var micro: Int

        public init(major: Int, minor: Int, micro: Int) {
            self.major = major
            self.minor = minor
            self.micro = micro
        }

        public static func < (left: Version, right: Version) -> Bool {
            (left.major, left.minor, left.micro) < (right.major, right.minor, right.micro)
        }
    }

    public var version: Version
    /// The distribution's own version, as `Debian 1:7.2+dfsg-7`; often empty.
    public var package: String
    /// `oob`, where it is offered.
    public var capabilities: [String]

    /// Nil when it is no greeting.
    init?(_ message: JSONValue) {
        guard let body = message["QMP"], let version = Version(body["version"]) else { return nil }
        self.version = version
        package = body["version"]?["package"]?.stringValue ?? ""
        capabilities = body["capabilities"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    public var offersOutOfBand: Bool { capabilities.contains("oob") }
}

extension QMPGreeting.Version: CustomStringConvertible {
    public var description: String { "\(major).\(minor).\(micro)" }

    /// Of the object that the greeting and `query-version` share.
    init?(_ value: JSONValue?) {
        guard let numbers = value?["qemu"], let major = numbers["major"]?.int64Value,
            let minor = numbers["minor"]?.int64Value, let micro = numbers["micro"]?.int64Value
        else { return nil }
        self.init(major: Int(major), minor: Int(minor), micro: Int(micro))
    }
}
