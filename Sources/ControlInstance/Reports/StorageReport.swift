/// What checkpoints take of the disk, and what they may take.
public struct StorageReport: Codable, Hashable, Sendable {
    /// Of a simulation's checkpoints.
    public var usedBytes: UInt64
    /// nil: none.
    public var quotaBytes: UInt64?
    /// Of all checkpoints.
    public var totalBytes: UInt64
    /// nil: none.
    public var totalQuotaBytes: UInt64?

    public init(usedBytes: UInt64, quotaBytes: UInt64? = nil, totalBytes: UInt64, totalQuotaBytes: UInt64? = nil) {
        self.usedBytes = usedBytes
        self.quotaBytes = quotaBytes
        self.totalBytes = totalBytes
        self.totalQuotaBytes = totalQuotaBytes
    }
}
