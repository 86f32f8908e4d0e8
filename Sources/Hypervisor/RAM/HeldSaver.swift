import HypervisorAPI
import QMP

/// The classic stream through this process, of a machine that goes on before its RAM is written or whose RAM is taken out of it.
struct HeldSaver: StateSaver {
    let stream: HeldStream
    let monitor: QMPConnection
    /// The machine goes on before.
    let behind: Bool

    var uri: String { "fd:\(StreamSaver.descriptorName)" }

    func prepare() async throws(HypervisorError) {
        do throws(QMPError) {
            try await monitor.prepareMigration(mapped: false, behind: behind)
            if let input = stream.takeInput() {
                try await monitor.getfd(name: StreamSaver.descriptorName, descriptor: input.number)
            }
        } catch {
            throw HypervisorError(error)
        }
    }

    func release() async {
        stream.close()
        // After a `migrate` QEMU has closed it by itself, and says that there is none.
        _ = try? await monitor.closefd(name: StreamSaver.descriptorName)
        _ = try? await monitor.prepareMigration(mapped: false)
    }
}
