import Time

extension LinkLeftovers {
    /// Of machines that have all stopped.
    static func collectAll(_ records: [MachineRecord]) async -> [Found] {
        var found: [Found] = []
        for record in records where !record.links.isEmpty { found += await collect(record) }
        return found
    }

    /// - Returns: notes about machines whose links still moved when the time was over.
    static func settleAll(_ records: [MachineRecord]) async -> [String] {
        var notes: [String] = []
        for record in records where await !settle(record, timeout: .seconds(1)) {
            notes.append("something still moved in the links of \(record.name) a second after it had stopped")
        }
        return notes
    }
}
