import GuestClock
import HypervisorAPI
import Time

/// All that an operation needs to know, settled before it begins.
struct OperationPlan: Sendable {
    /// What is asked of one host.
    struct Part: Sendable {
        var hypervisor: any Hypervisor
        var order: Order
        var machines: [String]
    }

    var record: OperationRecord
    /// nil: as soon as all can.
    var instant: HostInstant?
    var parts: [Part]
    /// Of a suspend.
    var destination: CheckpointSet.Place?
    /// Of a resume that may write on the checkpoint's own RAM, so that it is not being sealed meanwhile.
    var source: CheckpointSet.Place?
    /// Of a suspend.
    var parent: CheckpointManifest.Parent?
    /// Of a suspend.
    var annotations = Annotations.none
    /// Of a resume: what each machine's clocks read at the suspend.
    var policy: ClockPolicy?
    var scope: ClockScope?
    /// What people should know before anything has happened.
    var notes: [String] = []
}
