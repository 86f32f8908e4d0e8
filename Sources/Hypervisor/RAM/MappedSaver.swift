import HypervisorAPI
import QMP

/// A mapped-ram file: RAM at fixed places, holes for zero pages. QEMU opens it by itself (mapped-ram wants to seek), but through
/// a descriptor set, so that it needs no right to the path.
struct MappedSaver: StateSaver {
    /// Far from the numbers that a person at the monitor would choose.
    private static let descriptorSet: Int64 = 6173

    let path: String
    let monitor: QMPConnection

    var uri: String { "file:/dev/fdset/\(Self.descriptorSet)" }

    func prepare() async throws(HypervisorError) {
        // QEMU wants the access mode of the descriptor to be exactly that of its open: write only.
        let file = try StateFile.create(path)
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: true)
            _ = try await monitor.addfd(set: Self.descriptorSet, descriptor: file.number)
        } catch {
            throw HypervisorError(error)
        }
    }

    func release() async {
        _ = try? await monitor.removefd(set: Self.descriptorSet)
        _ = try? await monitor.prepareMigration(mapped: false)
    }
}
