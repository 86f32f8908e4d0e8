import Glibc

/// The steps of a resume or a start between which something can die; each is held open.
enum LaunchStep: String, Sendable, CaseIterable {
    /// alpha's new QEMU does not answer.
    case preparing
    /// Both machines are loaded and stand still; the instant is still to come.
    case armed
    /// Both run, which is not recorded yet.
    case happened
    /// That is recorded, and the decision is not.
    case undecided
    /// The decision is recorded, and the end is not.
    case decided

    /// Whether a machine has gone on, which its outside has seen: then it has to stay.
    var hasHappened: Bool { [.happened, .undecided, .decided].contains(self) }

    /// Goes there, breaks something, and lets what was held up go on.
    func hold(
        _ lab: FaultLab,
        _ arguments: String...,
        then fault: @Sendable (FaultLab) async throws -> Void
    ) async throws -> FaultLab.Answer {
        let gate = try DatabaseGate(lab)
        defer {
            gate.open()
            for machine in FaultLab.machines { lab.thaw(machine) }
        }
        let delay = self == .preparing ? "1h" : "2s"
        return try await lab.follow(arguments + ["--in", delay]) { command in
            try await StepMissed.unless { try await reach(lab, command, gate) }
            try await fault(lab)
            gate.open()
            for machine in FaultLab.machines { lab.thaw(machine) }
        }
    }

    /// - Throws: when it could not be held there, as the host was too busy. Nothing is broken then.
    private func reach(_ lab: FaultLab, _ command: RunningCommand, _ gate: DatabaseGate) async throws {
        if self == .preparing {
            try await FaultLab.wait(for: "a QEMU") { !lab.qemus(of: "alpha").isEmpty }
            lab.freeze("alpha")
            try await FaultLab.wait(for: "the journal") { lab.journalPhase == "preparing" }
            return
        }
        try await command.phase("armed")
        if self == .armed {
            try await FaultLab.wait(for: "the journal") { lab.journalPhase == "armed" }
            try await FaultLab.wait(for: "both to be loaded") {
                let states = try await lab.runStates()
                guard !states.values.contains("running") else { throw CLIError("the instant has passed") }
                return states.count == 2 && !states.values.contains("inmigrate")
            }
            return
        }
        try await gate.shut()
        guard !command.hasSeen(phase: "happened") else { throw CLIError("the database was not shut in time") }
        try await FaultLab.wait(for: "both to run") {
            try await lab.runStates() == ["alpha": "running", "beta": "running"]
        }
        if self == .happened { return }
        try gate.letOneThrough()
        try await command.phase("happened")
        if self == .undecided { return }
        try gate.letOneThrough()
        try await command.phase("deciding")
    }
}
