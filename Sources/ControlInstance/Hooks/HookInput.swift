import FoundationEssentials
import GuestClock
import HypervisorAPI
import Time

/// What a hook reads: the plan before an operation, and the report too after it.
struct HookInput: Encodable {
    struct Machine: Encodable {
        let name: String
        let host: String
    }

    let event: HookEvent
    let operation: OperationID
    let kind: OperationKind
    let simulation: String
    let checkpoint: String?
    /// The one that began it, in words.
    let trigger: String?
    /// Of a clone.
    let origin: Origin?
    /// nil: as soon as all can.
    let instantNs: HostInstant?
    let policy: ClockPolicy?
    let scope: ClockScope?
    let machines: [Machine]
    let report: OperationReport?

    init(_ event: HookEvent, _ plan: OperationPlan, _ report: OperationReport?) {
        let record = plan.record
        self.event = event
        operation = record.id
        kind = record.kind
        simulation = record.simulation
        checkpoint = record.checkpoint
        trigger = record.trigger
        origin = record.kind == .resume && record.checkpoint == nil ? record.target.origin : nil
        instantNs = plan.instant
        policy = plan.policy
        scope = plan.scope
        machines = plan.parts.flatMap { part in
            part.machines.map { Machine(name: $0, host: part.hypervisor.host) }
        }
        self.report = report
    }

    /// One line.
    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and integers always encode.
        return Array((try? encoder.encode(self)) ?? Data()) + [UInt8(ascii: "\n")]
    }
}
