public import JSON
public import Time

/// What `query-migrate` says.
public struct MigrationInfo: Hashable, Sendable {
    public struct RAM: Hashable, Sendable {
        /// Bytes.
        public var transferred: Int64
        public var remaining: Int64
        public var total: Int64
        /// Pages that were all zero.
        public var duplicates: Int64
        /// Pages that were sent.
        public var normal: Int64
        /// Bytes, of the emulated machine; nil where QEMU does not say.
        public var pageSize: Int64?
    }

    public var status: MigrationStatus
    /// Why it failed, in QEMU's words.
    public var errorDescription: String?
    /// Why this machine cannot be migrated at all; told before anybody tries.
    public var blockedReasons: [String]
    public var ram: RAM?
    /// QEMU counts in milliseconds.
    public var totalTime: Span?
    public var downtime: Span?
    public var setupTime: Span?
    /// All that QEMU said.
    public var all: JSONValue

    init(_ reply: JSONValue) {
        status = reply["status"]?.stringValue.map(MigrationStatus.init) ?? .none
        errorDescription = reply["error-desc"]?.stringValue
        blockedReasons = reply["blocked-reasons"]?.arrayValue?.compactMap(\.stringValue) ?? []
        ram = reply["ram"].flatMap(RAM.init)
        totalTime = Self.span(reply["total-time"])
        downtime = Self.span(reply["downtime"])
        setupTime = Self.span(reply["setup-time"])
        all = reply
    }

    private static func span(_ milliseconds: JSONValue?) -> Span? {
        guard let count = milliseconds?.int64Value else { return nil }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? nil : Span(nanoseconds: nanoseconds)
    }
}

extension MigrationInfo.RAM {
    init?(_ value: JSONValue) {
        guard let transferred = value["transferred"]?.int64Value, let remaining = value["remaining"]?.int64Value,
            let total = value["total"]?.int64Value
        else { return nil }
        self.transferred = transferred
        self.remaining = remaining
        self.total = total
        duplicates = value["duplicate"]?.int64Value ?? 0
        normal = value["normal"]?.int64Value ?? 0
        pageSize = value["page-size"]?.int64Value
    }
}
