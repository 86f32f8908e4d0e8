public import Time

/// One host's machines, as a control instance commands them.
///
/// The order of an operation: ``prepare(_:)``, then either ``cancel(_:)`` or ``execute(_:at:)``, then ``report(of:)``, then
/// exactly one of ``commit(_:)`` and ``rollback(_:continueAt:)``. An executed handle acts alone: once ``execute(_:at:)`` has
/// returned, nothing that happens to the caller changes what is done at the instant.
///
/// It may be on another host: whatever throws may throw `host-unreachable`, and then nobody knows whether it was done.
public protocol Hypervisor: Sendable {
    /// The host's name, unique among the hypervisors of one control instance.
    var host: String { get }

    func describe() async throws(HypervisorError) -> HypervisorDescription

    /// - Parameter simulation: nil for the machines of all.
    func machines(of simulation: String?) async throws(HypervisorError) -> [MachineStatus]

    /// Checks every precondition and takes everything that the operation needs, so that at the instant nothing is left but to act.
    /// When it refuses, everything is as before.
    func prepare(_ order: Order) async -> PrepareAnswer

    /// What of a checkpoint and of this host would refuse a resume, by what can be known while the simulation still runs. Takes nothing.
    func obstacles(to order: ResumeOrder) async throws(HypervisorError) -> [Reason]

    /// Undoes ``prepare(_:)``. An unknown or used handle is no error: there is nothing to undo.
    func cancel(_ handle: Handle) async

    /// Arms the operation; returns once it will happen by itself.
    /// - Parameter instant: the handle's own, or for a handle without one, any between `earliest` and `expires`.
    /// - Throws: when the handle is not valid (any more) or the instant is too near; everything is then as before.
    func execute(_ handle: Handle, at instant: HostInstant) async throws(HypervisorError)

    /// Waits until the operation has happened, well or badly.
    func report(of operation: OperationID) async throws(HypervisorError) -> HypervisorReport

    /// The stages of an operation as they end, from its beginning; ends with the operation.
    func stages(of operation: OperationID) async -> AsyncStream<Stage>

    /// Suspend: the processes end, resources go free. Checkpoint, start and resume: they stay. Repeating it is harmless.
    func commit(_ operation: OperationID) async throws(HypervisorError)

    /// Suspend and checkpoint: all that stand still go on together at that instant, what was saved is removed. Start and resume:
    /// the new processes end.
    /// Repeating it is harmless.
    func rollback(_ operation: OperationID, continueAt instant: HostInstant) async throws(HypervisorError)

    /// Operations under way that wait to be told how they end: after a restart of either side, the ones to be settled.
    func undecided() async throws(HypervisorError) -> [UndecidedOperation]

    /// - Parameter pausing: false: only what can be read without stopping the machine.
    func readClocks(of simulation: String, pausing: Bool) async throws(HypervisorError) -> [MachineClocks]

    func adopt(_ order: AdoptOrder) async throws(HypervisorError) -> MachineStatus

    /// Reads on in what came out of a machine's serial port: in its log, so that nobody is kept from the port, and the next process of the
    /// machine goes on in it. Waits a while (``SerialChunk/patience``) when nothing has come.
    /// - Parameter offset: the end of what was read before. Where there is less, it was of another log, and this one is read from its
    ///   beginning. nil: nothing was read before, and of what there is the last is told.
    /// - Returns: without bytes when nothing came, or there is no such port.
    func readSerial(_ port: SerialPlace, from offset: UInt64?) async throws(HypervisorError) -> SerialChunk

    /// Reads on in what befell a machine's present process, from when that was started: nobody keeps anything for who reads. Waits a while
    /// (``EventChunk/patience``) when there is nothing.
    /// - Parameter mark: the end of what was read before. One of another log, since the machine has another process or its host another daemon
    ///   by now: this one is read from its beginning. nil: nothing was read before, and what there is, if only nothing, is told at once.
    /// - Returns: without events when nothing befell it, or there is no such machine.
    func readEvents(of machine: MachinePlace, after mark: EventMark?) async throws(HypervisorError) -> EventChunk

    /// Types something into a machine's serial port; returns when QEMU has read all of it.
    /// - Parameter bytes: ``SerialPlace/mostTyped`` at most.
    /// - Throws: `machine-not-running`, `serial-missing`, `serial-busy`, `serial-unusable`. When it throws, some of it may have been typed.
    func writeSerial(_ bytes: [UInt8], to port: SerialPlace) async throws(HypervisorError)

    /// Ends the machines of a simulation and releases what they hold. Adopted ones are let go, not ended.
    func end(_ simulation: String) async throws(HypervisorError)

    /// Reads every file of a checkpoint that is this host's and compares sizes, digests, and what its streams say.
    /// - Returns: every way in which it is not what the manifest says; empty when it is whole.
    func verify(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason]

    /// Brings what is still elsewhere of a checkpoint into its folder, durably, and digests what has no digest yet. Takes as long as
    /// reading it does; to be repeated after whatever interrupted it, also when the task is cancelled.
    /// - Returns: every file of it that this host has and that had none, with its digest.
    func seal(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [CheckpointFile]

    /// What of a checkpoint was in this host's memory only, and is gone with its power; empty when nothing is.
    func lost(_ checkpoint: StoredCheckpoint) async throws(HypervisorError) -> [Reason]

    /// Writes a copy of a checkpoint whose clocks read differently; the original is only read.
    /// - Returns: the machines as saved in `folder`.
    func editClocks(_ order: ClockEditOrder) async throws(HypervisorError) -> [MachineCheckpoint]

    /// Finds or makes all that another host needs of a checkpoint: disks without images below them, the files that QEMU is started
    /// with, digests. The checkpoint is only read.
    /// - Throws: when something of it is missing or not what was saved.
    func makeStandalone(_ order: DepartureOrder) async throws(HypervisorError) -> StandaloneCheckpoint

    /// Reads on in a file, at the next byte at or behind an offset that is in no hole. Links are not followed.
    /// - Returns: without bytes when nothing but hole follows.
    /// - Throws: `checkpoint-corrupt` when it is not there or no file.
    func read(_ file: FilePlace, from offset: UInt64) async throws(HypervisorError) -> FilePiece

    /// Puts a piece of a file to its place, in a folder that nobody takes for a checkpoint. The first one makes the file, as long as it will be
    /// and of nothing but hole. Repeating it is harmless.
    /// - Throws: `no-space`…, `checkpoint-exists` when what comes in could not become a checkpoint; what was written until then stays.
    func write(_ piece: FilePiece, to file: FilePlace) async throws(HypervisorError)

    /// Fits a checkpoint of another host to this one: its binaries, its paths, its name. Files that are here already under their
    /// old paths are removed from the checkpoint's folder. What came in from another host is first taken away from who wrote it, and is
    /// durable afterwards; whether it is what was sent ``verify(_:)`` tells.
    /// - Throws: `archive-corrupt` when something is there that belongs to none of its machines, or a disk stands on another image.
    func fit(_ order: ArrivalOrder) async throws(HypervisorError) -> Arrival

    /// What is kept of simulations that nobody knows any more: logs, measured delays, folders without a machine. Never what a
    /// checkpoint may need.
    /// - Parameter simulations: those that are known.
    func leftovers(besides simulations: [String], removing: Bool) async throws(HypervisorError) -> [Leftover]

    /// Gives this host's part of a checkpoint the name that it keeps. Whoever keeps the manifest in the same folder has done so already:
    /// then, and where nothing of it is, this is of no effect.
    func moveCheckpoint(folder: String, to final: String) async throws(HypervisorError)

    /// Removes the folder of a checkpoint, or of one that never became whole, with what is still coming in for that. Removing what is not
    /// there is no error.
    func removeCheckpoint(folder: String) async throws(HypervisorError)
}

extension Hypervisor {
    /// Of one that keeps nothing: nothing.
    public func leftovers(besides simulations: [String], removing: Bool) async throws(HypervisorError) -> [Leftover] {
        []
    }
}

/// A file or folder that nobody needs any more.
public struct Leftover: Codable, Hashable, Sendable {
    public var path: String
    /// That the disk has for it.
    public var bytes: UInt64

    public init(path: String, bytes: UInt64) {
        self.path = path
        self.bytes = bytes
    }
}
