import JSON
public import Time

/// A set of descriptors that QEMU opens as `/dev/fdset/N`.
public struct DescriptorSet: Hashable, Sendable {
    public var id: Int64
    /// QEMU's own numbers.
    public var descriptors: [Int64]
}

extension QMPConnection {
    /// Gives QEMU a duplicate of a descriptor under a name, for one use as `fd:NAME`. The name is free again after that.
    public func getfd(name: String, descriptor: Int32, timeout: Span? = usualTimeout) async throws(QMPError) {
        let command = QMPCommand("getfd", arguments: ["fdname": .string(name)])
        try await execute(command, timeout: timeout, descriptors: [descriptor])
    }

    /// Takes back a descriptor that was not used.
    public func closefd(name: String, timeout: Span? = usualTimeout) async throws(QMPError) {
        try await execute(QMPCommand("closefd", arguments: ["fdname": .string(name)]), timeout: timeout)
    }

    /// Puts a duplicate of a descriptor into a set and returns QEMU's number for it. QEMU opens the member whose access
    /// mode (and O_DIRECT) is exactly what it needs.
    @discardableResult
    public func addfd(
        set: Int64,
        descriptor: Int32,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) -> Int64 {
        let arguments: JSONValue = ["fdset-id": .integer(set)]
        return try await ask("add-fd", arguments, timeout: timeout, descriptors: [descriptor]).integer("fd")
    }

    /// Empties a set, or takes one member out. What is open stays open until QEMU closes it; 7.2
    /// closes the member itself only while the machine runs.
    public func removefd(
        set: Int64,
        descriptor: Int64? = nil,
        timeout: Span? = usualTimeout
    ) async throws(QMPError) {
        var arguments: JSONValue = ["fdset-id": .integer(set)]
        if let descriptor { arguments = ["fdset-id": .integer(set), "fd": .integer(descriptor)] }
        try await execute(QMPCommand("remove-fd", arguments: arguments), timeout: timeout)
    }

    public func queryFDSets(timeout: Span? = usualTimeout) async throws(QMPError) -> [DescriptorSet] {
        try await ask("query-fdsets", timeout: timeout).map { set throws(QMPError) in
            DescriptorSet(
                id: try set.integer("fdset-id"),
                descriptors: try set.member("fds").map { descriptor throws(QMPError) in try descriptor.integer("fd") }
            )
        }
    }
}
