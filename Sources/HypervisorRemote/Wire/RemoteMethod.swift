import GuestClock
import HypervisorAPI
import Time

/// One call of ``HypervisorAPI/Hypervisor`` as HTTP: `POST` with a JSON body, answered with a JSON body or a ``Refusal``.
///
/// Server and client take path and types from the same value, so that neither can differ from the other.
struct RemoteMethod<Body: Codable & Sendable, Answer: Codable & Sendable>: Sendable {
    let path: String

    init(_ name: String) { path = "/v\(WireFormat.version)/\(name)" }
}

/// What both sides have to agree on.
enum WireFormat {
    /// Grows with every change that one side alone cannot make good. In the path, so that another version finds nothing.
    static let version = 1
    /// Of a body. Orders carry launch records and specs of whole simulations; big labs stay far below.
    static let bodyLimit = 32 << 20
}

extension RemoteMethod where Body == Nothing, Answer == HypervisorDescription {
    static var describe: Self { Self("describe") }
}

extension RemoteMethod where Body == MachinesQuestion, Answer == [MachineStatus] {
    static var machines: Self { Self("machines") }
}

extension RemoteMethod where Body == Order, Answer == PrepareAnswer {
    static var prepare: Self { Self("prepare") }
}

extension RemoteMethod where Body == ResumeOrder, Answer == [Reason] {
    static var obstacles: Self { Self("obstacles") }
}

extension RemoteMethod where Body == Handle, Answer == Nothing {
    static var cancel: Self { Self("cancel") }
}

extension RemoteMethod where Body == Execution, Answer == Nothing {
    static var execute: Self { Self("execute") }
}

extension RemoteMethod where Body == OperationID, Answer == HypervisorReport {
    static var report: Self { Self("report") }
}

extension RemoteMethod where Body == OperationID, Answer == Nothing {
    static var commit: Self { Self("commit") }
}

extension RemoteMethod where Body == Rollback, Answer == Nothing {
    static var rollback: Self { Self("rollback") }
}

extension RemoteMethod where Body == Nothing, Answer == [UndecidedOperation] {
    static var undecided: Self { Self("undecided") }
}

extension RemoteMethod where Body == ClocksQuestion, Answer == [MachineClocks] {
    static var clocks: Self { Self("clocks") }
}

extension RemoteMethod where Body == AdoptOrder, Answer == MachineStatus {
    static var adopt: Self { Self("adopt") }
}

extension RemoteMethod where Body == String, Answer == Nothing {
    static var end: Self { Self("end") }
    static var removeCheckpoint: Self { Self("remove-checkpoint") }
}

extension RemoteMethod where Body == Move, Answer == Nothing {
    static var moveCheckpoint: Self { Self("move-checkpoint") }
}

extension RemoteMethod where Body == StoredCheckpoint, Answer == [Reason] {
    static var verify: Self { Self("verify") }
    static var lost: Self { Self("lost") }
}

extension RemoteMethod where Body == StoredCheckpoint, Answer == [CheckpointFile] {
    static var seal: Self { Self("seal") }
}

extension RemoteMethod where Body == ClockEditOrder, Answer == [MachineCheckpoint] {
    static var editClocks: Self { Self("edit-clocks") }
}

extension RemoteMethod where Body == DepartureOrder, Answer == StandaloneCheckpoint {
    static var makeStandalone: Self { Self("make-standalone") }
}

extension RemoteMethod where Body == ArrivalOrder, Answer == Arrival {
    static var fit: Self { Self("fit") }
}

extension RemoteMethod where Body == LeftoversQuestion, Answer == [Leftover] {
    static var leftovers: Self { Self("leftovers") }
}

extension RemoteMethod where Body == SerialQuestion, Answer == SerialAnswer {
    static var readSerial: Self { Self("read-serial") }
}

extension RemoteMethod where Body == SerialWriting, Answer == Nothing {
    static var writeSerial: Self { Self("write-serial") }
}

extension RemoteMethod where Body == EventQuestion, Answer == EventChunk {
    static var readEvents: Self { Self("read-events") }
}
