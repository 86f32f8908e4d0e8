import HypervisorAPI

extension ControlInstance {
    /// QEMU's own, of a machine that names none.
    private static let usualMemory: UInt64 = 128 << 20
    private static let oldestShown = 3

    /// What a simulation's checkpoints take of the disk: what is allocated, each file once.
    public func storage(of simulation: String) async throws(ControlError) -> StorageReport {
        let quota = try await record(ofSimulation: simulation)?.spec.quotaBytes
        return StorageReport(
            usedBytes: DiskUse.bytes(of: "\(checkpointSet.folder)/\(simulation)"),
            quotaBytes: quota,
            totalBytes: DiskUse.bytes(of: checkpointSet.folder),
            totalQuotaBytes: options.quotaBytes
        )
    }

    /// - Throws: `quota-exceeded` (exit code 3) when one more checkpoint might not fit any more. How much of the RAM is in use is not
    ///   known before it is saved, so all of it counts.
    func checkQuota(of simulation: SimulationRecord) async throws(ControlError) {
        try await checkQuota(
            of: simulation.name,
            for: simulation.spec.machines.reduce(UInt64(0)) { $0 &+ ($1.memoryBytes ?? Self.usualMemory) }
        )
    }

    /// - Parameter need: bytes that are to come to the checkpoints of a simulation, one that is not known yet included.
    /// - Throws: `quota-exceeded` (exit code 3) when they might not fit.
    func checkQuota(of simulation: String, for need: UInt64) async throws(ControlError) {
        let quota = try await record(ofSimulation: simulation)?.spec.quotaBytes
        guard quota != nil || options.quotaBytes != nil else { return }
        let storage = try await storage(of: simulation)
        let pending = try unsealedRAM()
        let own = pending.filter { $0.key.simulation == simulation }.values.reduce(0, &+)
        let reasons =
            try await exceeded(simulation, need, storage.usedBytes &+ own, storage.quotaBytes)
            + exceeded(nil, need, storage.totalBytes &+ pending.values.reduce(0, &+), storage.totalQuotaBytes)
        guard reasons.isEmpty else { throw ControlError(reasons, exitCode: 3) }
    }

    /// RAM that is still in memory and comes to the disk when its checkpoint is sealed.
    private func unsealedRAM() throws(ControlError) -> [CheckpointSet.Place: UInt64] {
        var pending: [CheckpointSet.Place: UInt64] = [:]
        for place in try checkpointSet.places() where checkpointSet.isPublished(place) && !checkpointSet.isSealed(place)
        {
            // One that cannot be read is not sealed either.
            let files = (try? checkpointSet.load(place))?.machines.compactMap(\.ram) ?? []
            pending[place] = files.reduce(0) { $0 &+ DiskUse.bytes(behind: "\(place.final)/\($1.path)") }
        }
        return pending
    }

    /// - Parameter simulation: nil: all.
    private func exceeded(
        _ simulation: String?,
        _ need: UInt64,
        _ used: UInt64,
        _ quota: UInt64?
    ) async throws(ControlError) -> [Reason] {
        guard let quota, used &+ need > quota else { return [] }
        let records = try await reading { () throws(StoreError) in try await self.store.checkpoints(of: simulation) }
        let oldest = records.filter { $0.keeper == nil }.prefix(Self.oldestShown).map { record in
            "\(record.simulation)@\(record.name) (\(Self.words(DiskUse.bytes(of: place(of: record).final))))"
        }
        let whose = simulation.map { "the checkpoints of \($0)" } ?? "all checkpoints together"
        return [
            Reason(
                code: "quota-exceeded",
                message: "\(whose) take \(Self.words(used)) of a quota of \(Self.words(quota)), and this one may take "
                    + "\(Self.words(need)); "
                    + (oldest.isEmpty
                        ? "a larger quota is needed"
                        : "remove some with 'fermata rm' or 'fermata gc', the oldest are \(oldest.joined(separator: ", "))")
            )
        ]
    }

    /// For `doctor`: whatever has a quota.
    func quotaFindings() async throws(ControlError) -> [HypervisorDescription.Finding] {
        var findings: [HypervisorDescription.Finding] = []
        let records = try await reading { () throws(StoreError) in try await self.store.simulations() }
        for record in records {
            guard let quota = record.spec.quotaBytes else { continue }
            let used = DiskUse.bytes(of: "\(checkpointSet.folder)/\(record.name)")
            findings.append(Self.finding("quota of \(record.name)", used, quota))
        }
        let used = DiskUse.bytes(of: checkpointSet.folder)
        if let quota = options.quotaBytes { findings.append(Self.finding("quota", used, quota)) }
        return findings
    }

    private static func finding(_ subject: String, _ used: UInt64, _ quota: UInt64) -> HypervisorDescription.Finding {
        .init(
            level: used < quota ? .ok : .notice,
            subject: subject,
            message: "checkpoints take \(words(used)) of \(words(quota))"
        )
    }

    private static func words(_ bytes: UInt64) -> String {
        bytes >= 10 << 30 ? "\(bytes >> 30) GiB" : bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
