import Glibc
import HypervisorAPI
import MigrationStream
import QMP
import Time

/// A mapped-ram file, loaded all at once when the patches are known. Without any it is read where it lies; otherwise a private copy
/// is patched (a reflink where the file system can, else its used part is copied).
struct MappedLoader: StateLoader {
    private static let descriptorSet: Int64 = 6173
    /// Bytes a second that any disk of today gives; the instant has to lie beyond what this makes of the size.
    private static let slowest: UInt64 = 200_000_000

    let state: StoredState
    let monitor: QMPConnection
    let scratch: String

    var finishTime: Span {
        .milliseconds(
            200 + Int64(clamping: state.stream.size.multipliedReportingOverflow(by: 1000).partialValue / Self.slowest)
        )
    }

    func preload() async throws(HypervisorError) {
        // QEMU reads it by itself, so it is read once more: the price of never running a machine on damaged RAM.
        try state.refuseUnless(try await FileDigest.sha256(of: state.file, named: state.path))
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: true)
        } catch {
            throw HypervisorError(error)
        }
    }

    func finish(_ patches: PatchSet) async throws(HypervisorError) {
        let file = patches.patches.isEmpty ? state.file : try await patchedCopy(patches)
        let events = monitor.events()
        do throws(QMPError) {
            _ = try await monitor.addfd(set: Self.descriptorSet, descriptor: file.number)
            try await monitor.migrateIncoming(uri: "file:/dev/fdset/\(Self.descriptorSet)")
        } catch {
            throw HypervisorError(error)
        }
        try await monitor.migrationEnd(in: events, within: .seconds(600))
        try await monitor.settle(into: [.paused, .preLaunch], within: .seconds(10))
        _ = try? await monitor.removefd(set: Self.descriptorSet)
    }

    /// Open for reading only, as QEMU wants it, and without a name: it is gone when QEMU has read it.
    private func patchedCopy(_ patches: PatchSet) async throws(HypervisorError) -> OwnedDescriptor {
        _ = try await FileCopy.copy(from: state.path, to: scratch)
        defer { unlink(scratch) }
        let writable = try StateFile.open(scratch, O_RDWR)
        do throws(StreamError) {
            try patches.apply(toFile: writable.number)
        } catch {
            throw HypervisorError(code: "patch-refused", message: "\(state.path): \(error)")
        }
        return try StateFile.open(scratch)
    }
}
