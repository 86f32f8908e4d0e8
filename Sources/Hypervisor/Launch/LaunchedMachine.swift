import HypervisorAPI
import QMP

/// A machine that has just been started: its process waits (`-S`), its monitor answers.
struct LaunchedMachine: Sendable {
    var record: MachineRecord
    var monitor: QMPConnection
}
