import HypervisorAPI
import QMP

/// The classic stream into a descriptor that QEMU is given: any QEMU from 7.2, wherever the file lies and whoever may open it.
struct StreamSaver: StateSaver {
    static let descriptorName = "fermata-state"

    let path: String
    let monitor: QMPConnection
    /// RAM in a file stays there.
    var sharedLeftOut = false

    var uri: String { "fd:\(Self.descriptorName)" }

    func prepare() async throws(HypervisorError) {
        let file = try StateFile.create(path)
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: false, sharedLeftOut: sharedLeftOut)
            try await monitor.getfd(name: Self.descriptorName, descriptor: file.number)
        } catch {
            throw HypervisorError(error)
        }
    }

    func release() async {
        // After a `migrate` QEMU has closed it by itself, and says that there is none.
        _ = try? await monitor.closefd(name: Self.descriptorName)
        if sharedLeftOut { _ = try? await monitor.prepareMigration(mapped: false) }
    }
}
