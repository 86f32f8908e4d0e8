public import JSON
public import Time

/// A property of an object in QEMU's tree.
public struct ObjectProperty: Hashable, Sendable {
    public var name: String
    /// `string`, `child<…>`, `link<…>`, …
    public var type: String

    /// What a child is; nil for any other property.
    public var childType: String? {
        guard type.hasPrefix("child<"), type.hasSuffix(">") else { return nil }
        return String(type.dropFirst("child<".count).dropLast())
    }
}

extension QMPConnection {
    public func qomList(_ path: String, timeout: Span? = usualTimeout) async throws(QMPError) -> [ObjectProperty] {
        try await ask("qom-list", ["path": .string(path)], timeout: timeout).map { property throws(QMPError) in
            ObjectProperty(name: try property.string("name"), type: try property.string("type"))
        }
    }

    /// A path that is not there is an error of class `DeviceNotFound`, a property that is not a `GenericError`.
    public func qomGet(
        _ path: String,
        _ property: String,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) -> JSONValue {
        let arguments: JSONValue = ["path": .string(path), "property": .string(property)]
        return try await execute(QMPCommand("qom-get", arguments: arguments), timeout: timeout)
    }

    /// What the machine's real-time clock shows, in whole seconds, read as UTC; only machines that have the property
    /// (`pc`, `q35`, `pseries`, … but no ARM board), others are a `GenericError`.
    public func rtcTime(timeout: Span? = usualTimeout) async throws(QMPError) -> HostInstant {
        let reply = try await ask("qom-get", ["path": "/machine", "property": "rtc-time"], timeout: timeout)
        let time = BrokenDownTime(
            year: try reply.integer("tm_year"),
            month: try reply.integer("tm_mon"),
            day: try reply.integer("tm_mday"),
            hour: try reply.integer("tm_hour"),
            minute: try reply.integer("tm_min"),
            second: try reply.integer("tm_sec")
        )
        guard let instant = time.instant else { throw reply.fault(nil, "a date and time") }
        return instant
    }
}
