import Glibc
import JSON

/// The steps of a suspend between which something can die. Each is held open, so that what dies does so in it and nowhere else.
enum SuspendStep: String, Sendable, CaseIterable {
    /// The operation is recorded; alpha is asked whether it can be saved, and does not answer.
    case preparing
    /// Both machines run, the instant is still to come.
    case armed
    /// Both have stopped, and alpha's RAM is being written.
    case saving
    /// All is saved, which is not recorded yet.
    case saved
    /// The manifest is durable and the checkpoint has its name, but the decision is not recorded.
    case published
    /// Called off at the last moment: both stand still and are to run on, which alpha does not hear.
    case rollingBack
    /// The decision is recorded, and both QEMUs live.
    case decided
    /// beta is gone, and alpha not yet.
    case committing
    /// Both are gone, which is not recorded yet.
    case ended

    /// Whether it can only end as a checkpoint.
    var isDecided: Bool { [.decided, .committing, .ended].contains(self) }

    /// Whether nothing more is needed of the machines themselves.
    var isSaved: Bool { isDecided || self == .saved || self == .published }

    static let withLivingAlpha = allCases.filter { $0 != .ended }

    /// Goes there, breaks something, and lets what was held up go on.
    func hold(
        _ lab: FaultLab,
        as checkpoint: String,
        then fault: @Sendable (FaultLab) async throws -> Void
    ) async throws -> FaultLab.Answer {
        let gate = try DatabaseGate(lab)
        defer {
            gate.open()
            for machine in FaultLab.machines { lab.thaw(machine) }
        }
        if self == .preparing { lab.freeze("alpha") }
        let delay = self == .armed || self == .saving ? "1500ms" : "300ms"
        return try await lab.follow("suspend", "\(FaultLab.name)@\(checkpoint)", "--in", delay) { command in
            try await StepMissed.unless { try await reach(lab, command, gate, checkpoint) }
            try await fault(lab)
            gate.open()
            for machine in FaultLab.machines { lab.thaw(machine) }
        }
    }

    /// - Throws: when it could not be held there, as the host was too busy. Nothing is broken then.
    private func reach(
        _ lab: FaultLab,
        _ command: RunningCommand,
        _ gate: DatabaseGate,
        _ checkpoint: String
    ) async throws {
        if self == .preparing {
            try await command.phase("preparing")
            return
        }
        try await command.phase("armed")
        switch self {
        case .preparing, .armed:
            try await FaultLab.wait(for: "the journal") { lab.journalPhase == "armed" }
            try Self.require(try await lab.runStates() == ["alpha": "running", "beta": "running"], "both still run")
            return
        case .saving:
            let alpha = MonitorProbe(path: lab.probe("alpha"))
            // Bytes a second: of a megabyte, it writes for a minute.
            try alpha.ask("migrate-set-parameters", #"{"max-bandwidth": 20000}"#)
            try await FaultLab.wait(for: "alpha's RAM to be under way") {
                try alpha.ask("query-migrate")["return"]?["status"]?.stringValue == "active"
            }
            try Self.require(try await lab.runState(of: "beta") != "running", "beta stands still")
            return
        case .saved, .published, .rollingBack, .decided, .committing, .ended:
            try await gate.shut()
            try Self.require(!command.hasSeen(phase: "happened"), "it was shut in time")
            try await command.stage("sync")
        }
        switch self {
        case .saved:
            try Self.require(lab.checkpoints.contains("\(checkpoint).partial"), "the checkpoint has no name")
        case .published:
            try gate.letOneThrough()
            try await FaultLab.wait(for: "the checkpoint's name") { lab.checkpoints.contains(checkpoint) }
        case .rollingBack:
            lab.freeze("alpha")
            kill(command.id, SIGINT)
            try await Task.sleep(for: .milliseconds(300))
            gate.open()
            try await FaultLab.wait(for: "the rollback") { lab.journalPhase == "rollingBack" }
        case .decided:
            for machine in FaultLab.machines { lab.freeze(machine) }
            gate.open()
            try await command.phase("deciding")
            try Self.require(FaultLab.machines.allSatisfy { !lab.qemus(of: $0).isEmpty }, "both live")
        case .committing:
            lab.freeze("alpha")
            gate.open()
            try await FaultLab.wait(for: "beta's end") { lab.qemus(of: "beta").isEmpty }
            try Self.require(lab.journalPhase == "committing", "the journal says that it is committing")
        case .ended:
            lab.freeze("alpha")
            try gate.letOneThrough()
            try gate.letOneThrough()
            lab.thaw("alpha")
            try await FaultLab.wait(for: "the end of both") { lab.qemus().isEmpty && lab.journal.isEmpty }
            try Self.require(!command.hasSeen(phase: "finished"), "the end is not recorded")
        case .preparing, .armed, .saving: break
        }
    }

    private static func require(_ isSo: Bool, _ what: String) throws {
        guard isSo else { throw CLIError("not so: \(what)") }
    }
}
