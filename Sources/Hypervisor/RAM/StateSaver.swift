import HypervisorAPI
import QMP

/// One way by which a running machine's state gets into a file. `migrate` with ``uri`` writes it.
///
/// Which one is chosen in ``RAMWay+Choice.swift``, and in ``MachineSaving`` where the stream comes through this process.
protocol StateSaver: Sendable {
    var uri: String { get }

    /// Creates the file and hands it to QEMU, while the machine still runs.
    func prepare() async throws(HypervisorError)

    /// Takes back what ``prepare()`` gave to a machine that goes on. The file stays.
    func release() async
}
