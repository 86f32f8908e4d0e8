import HypervisorAPI
import MigrationStream
import QMP
import Time

/// One way by which a machine's state gets from a checkpoint into a QEMU that waits for it.
protocol StateLoader: Sendable {
    /// How long ``finish(_:)`` may take, reckoned before.
    var finishTime: Span { get }

    /// Does what can be done before the instant is known.
    func preload() async throws(HypervisorError)

    /// Loads the rest, patched; afterwards the machine is paused and complete.
    func finish(_ patches: PatchSet) async throws(HypervisorError)
}

extension RAMWay {
    /// - Parameter scratch: a path, not yet there, for a private copy where one is needed.
    func loader(of state: StoredState, into monitor: QMPConnection, scratch: String) -> any StateLoader {
        switch self {
        case .stream: StreamLoader(state: state, monitor: monitor)
        // QEMU left it out by itself, or it was taken out of what QEMU wrote.
        case .file:
            StreamLoader(
                state: state,
                monitor: monitor,
                sharedLeftOut: state.stream.capabilities.contains("x-ignore-shared")
            )
        case .mapped: MappedLoader(state: state, monitor: monitor, scratch: scratch)
        }
    }
}
