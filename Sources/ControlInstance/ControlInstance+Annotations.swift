import HypervisorAPI

extension ControlInstance {
    /// Changes labels and note of a checkpoint; nothing of what was saved.
    /// - Throws: when there is none, a label or note is none, or the simulation is busy.
    public func annotate(_ request: AnnotateRequest) async throws(ControlError) -> CheckpointSummary {
        try await claiming(request.simulation, for: "label") { () throws(ControlError) in
            var record = try await checkpointRecord(request.checkpoint, of: request.simulation)
            let place = checkpointSet.place(of: request.checkpoint, simulation: request.simulation)
            // The folder is the truth; another daemon may have written it.
            let old = (try? checkpointSet.annotations(of: place)) ?? record.annotations
            record.annotations = old.changed(request.labels, note: request.note)
            try record.annotations.check()
            try checkpointSet.write(record.annotations, in: place.final)
            try await writing(StoreChange(checkpoints: [record]))
            let current = try await self.record(ofSimulation: request.simulation)?.checkpoint
            return summary(of: record, current: current == record.name)
        }
    }

    /// Takes into the database what the folders say.
    func alignAnnotations(_ report: inout RecoveryReport) async throws(ControlError) {
        for var record in try await reading({ () throws(StoreError) in try await self.store.checkpoints(of: nil) })
        where record.keeper == nil {
            let place = checkpointSet.place(of: record.name, simulation: record.simulation)
            do throws(ControlError) {
                let annotations = try checkpointSet.annotations(of: place)
                guard annotations != record.annotations else { continue }
                record.annotations = annotations
                try await writing(StoreChange(checkpoints: [record]))
            } catch {
                report.problems += error.reasons
            }
        }
    }
}

/// Which checkpoints somebody wants to see: `key`, or `key=value`.
public struct LabelFilter: Hashable, Sendable {
    public var key: String
    /// nil: any.
    public var value: String?

    public init(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        key = parts.first ?? ""
        value = parts.count > 1 ? parts[1] : nil
    }

    func admits(_ annotations: Annotations) -> Bool {
        guard let own = annotations.labels[key] else { return false }
        return value == nil || value == own
    }
}
