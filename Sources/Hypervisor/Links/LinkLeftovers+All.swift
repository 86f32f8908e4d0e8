import QMP
import Time

extension LinkLeftovers {
    /// Of machines that have all stopped.
    static func collectAll(_ records: [MachineRecord]) async -> [Found] {
        var found: [Found] = []
        for record in records where !record.links.isEmpty { found += await collect(record) }
        return found
    }

    /// - Returns: notes about machines whose links still moved when the time was over.
    static func settleAll(_ machines: [LifetimeManager]) async -> [String] {
        var notes: [String] = []
        for machine in machines where await !settle(machine, timeout: .seconds(1)) {
            notes.append("something still moved in the links of \(machine.name.machine) a second after it had stopped")
        }
        return notes
    }

    /// As ``settle(_:timeout:turn:)``, with a question to its monitor between two looks: that is answered by the loop that reads the links
    /// too, so that a second answer comes only after all that was there has been read.
    static func settle(_ machine: LifetimeManager, timeout: Span) async -> Bool {
        // One that does not answer is told of elsewhere.
        let monitor = try? await machine.monitor()
        return await settle(machine.record, timeout: timeout) {
            for _ in 1...2 { _ = try? await monitor?.queryStatus(timeout: .milliseconds(100)) }
        }
    }
}
