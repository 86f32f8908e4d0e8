import HypervisorAPI
import JSON
import QMP
import Synchronization
import Time

extension QMPConnection {
    /// Events on, no bandwidth limit (the default of 128 MiB/s holds for stopped machines, too), RAM the way that is wanted.
    /// - Parameters:
    ///   - behind: RAM is saved while the guest runs on, as it was when the save began.
    ///   - sharedLeftOut: RAM in files that QEMU shares is not saved: whoever loads the rest has the files.
    func prepareMigration(
        mapped: Bool,
        behind: Bool = false,
        sharedLeftOut: Bool = false
    ) async throws(QMPError) {
        var capabilities = ["events": true, "background-snapshot": behind, "x-ignore-shared": sharedLeftOut]
        if try await queryMigrateCapabilities()["mapped-ram"] != nil { capabilities["mapped-ram"] = mapped }
        try await setMigrateCapabilities(capabilities)
        try await setMigrateParameters(["max-bandwidth": .integer(0)])
    }

    /// Waits until a migration that has been started, in either direction, has ended.
    /// - Parameters:
    ///   - events: subscribed to before it was started.
    ///   - quietTime: QEMU may take this long for all of it.
    ///   - running: the guest runs meanwhile; that it stopped would mean that something later than the instant is saved.
    /// - Throws: what QEMU says of a failure; `peerClosed` when it ended.
    func migrationEnd(
        in events: QMPEvents,
        within quietTime: Span,
        running: Bool = false
    ) async throws(HypervisorError) {
        let stopped = Atomic(false)
        let status: MigrationStatus?? = await withTimeLimit(quietTime) {
            for await event in events {
                if running, event.name == InstantCommand.stop.event { stopped.store(true, ordering: .relaxed) }
                guard let status = event.migrationStatus, !status.isUnderWay else { continue }
                return status
            }
            return Task.isCancelled ? nil : .some(nil)
        }
        switch status {
        case .completed where stopped.load(ordering: .relaxed):
            throw HypervisorError(
                code: "migration-failed",
                message: "the machine stopped by itself while it was saved: what was saved may be of another instant"
            )
        case .completed:
            return
        case nil:
            throw HypervisorError(code: "migration-stalled", message: "QEMU did not finish within \(quietTime)")
        case .some(nil):
            throw HypervisorError(code: "machine-died", message: "QEMU ended while its state was under way")
        case .some(let status?):
            let description = try? await queryMigrate().errorDescription
            throw HypervisorError(
                code: "migration-failed",
                message: "QEMU says: \(description ?? "migration \(status)")"
            )
        }
    }

    /// Waits until what is saved cannot be changed by the guest any more, of a save behind its back.
    ///
    /// `active` alone does not say so: QEMU announces it before it has taken the devices' state and protected the RAM. Pages are
    /// written only after both.
    /// - Returns: how long the machine's pages are, bytes; nil when QEMU does not say.
    /// - Throws: what QEMU says of a failure; `peerClosed` when it ended.
    func migrationActive(in events: QMPEvents, within limit: Span) async throws(HypervisorError) -> Int? {
        let status: MigrationStatus? = await withTimeLimit(limit) {
            for await event in events {
                guard let status = event.migrationStatus, status != .setup else { continue }
                return status
            }
            return nil
        }
        switch status {
        case .completed: return nil
        case .active: break
        case nil:
            throw HypervisorError(code: "migration-stalled", message: "QEMU did not begin to save within \(limit)")
        case .some(let status):
            let description = try? await queryMigrate().errorDescription
            throw HypervisorError(
                code: "migration-failed",
                message: "QEMU says: \(description ?? "migration \(status)")"
            )
        }
        let info = await migrationInfo(within: limit) { ($0.ram?.normal ?? 0) + ($0.ram?.duplicates ?? 0) > 0 }
        guard let info else {
            throw HypervisorError(code: "migration-stalled", message: "QEMU did not protect its RAM within \(limit)")
        }
        return info.ram?.pageSize.map { Int(clamping: $0) }
    }

    /// How long the pages of a machine are that is being saved, bytes; nil when QEMU does not say.
    func migrationPageSize(within limit: Span) async -> Int? {
        await migrationInfo(within: limit) { $0.ram?.pageSize != nil }?.ram?.pageSize.map { Int(clamping: $0) }
    }

    /// - Returns: what QEMU says as soon as that is so, or when nothing is under way any more; nil when it did not come to that.
    private func migrationInfo(
        within limit: Span,
        when isSo: @escaping @Sendable (MigrationInfo) -> Bool
    ) async -> MigrationInfo? {
        await withTimeLimit(limit) {
            while !Task.isCancelled {
                guard let info = try? await self.queryMigrate() else { return nil }
                if !info.status.isUnderWay || isSo(info) { return info }
                try? await Task.sleep(for: .microseconds(500))
            }
            return nil
        } ?? nil
    }

    /// A migration that has `completed` may still be `finish-migrate` for a moment, and then refuses `cont`.
    func settle(into wanted: Set<RunState>, within limit: Span) async throws(HypervisorError) {
        let reached: Bool? = await withTimeLimit(limit) {
            while !Task.isCancelled {
                guard let state = try? await self.queryStatus().status else { return false }
                if wanted.contains(state) { return true }
                try? await Task.sleep(for: .milliseconds(1))
            }
            return false
        }
        guard reached == true else {
            throw HypervisorError(
                code: "machine-did-not-settle",
                message: "QEMU did not become \(wanted.map(\.description).sorted().joined(separator: " or "))"
            )
        }
    }
}
