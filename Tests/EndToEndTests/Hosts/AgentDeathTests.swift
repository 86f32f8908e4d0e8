import Glibc
import JSON
import Testing

extension FaultTests {
    /// The agent, or the control instance, dies at the worst moments. Afterwards all runs on as one, or all is saved as one.
    @Suite struct AgentDeathTests {
        enum Fault: String, Sendable, CaseIterable {
            /// The agent, while nothing is under way.
            case beforePrepare
            /// The agent, armed, before the instant.
            case armed
            /// The agent, after the instant, while its machine has not confirmed that it stands still.
            case stopping
            /// The agent, after its machine was saved; the operation is called off.
            case saved
            /// The agent, after its machine was saved; the others' commit is recorded and told.
            case untold
            case controlArmed
            case controlSaved
            case bothSaved

            var isDecided: Bool { self == .untold }
            var killsAgent: Bool { ![.controlArmed, .controlSaved].contains(self) }
            var killsControl: Bool { [.controlArmed, .controlSaved, .bothSaved].contains(self) }

            /// Of the command: what it saw is over (1), or it has lost sight of it (5). The answer to `execute` may be lost with the agent.
            var statuses: Set<Int32> {
                switch self {
                case .beforePrepare: [3]
                case .armed, .stopping: [1, 5]
                case .saved, .untold, .controlArmed, .controlSaved, .bothSaved: [5]
                }
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `killed in each step of a suspend: all run on without a decision, and all is saved with one`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await HostsLab.with(qemu) { lab in
                try await lab.desk.done("up", try lab.manifest())
                for fault in Fault.allCases {
                    let processes = lab.processes
                    #expect(processes.count == 2)
                    let name = fault.rawValue.lowercased()
                    let answer = try await Self.suspend(lab, as: name, with: fault)
                    let what = "\(fault): \(answer)"
                    #expect(fault.statuses.contains(answer.status), "\(what)")
                    if fault.killsAgent { try await lab.ensureAgent() }
                    if fault.isDecided {
                        try await FaultLab.wait(for: "the commit after \(what)") {
                            try await lab.desk.state() == "suspended" && lab.processes.isEmpty
                        }
                        try await lab.desk.done("verify", "\(FaultLab.name)@\(name)")
                        try await lab.desk.done("resume", FaultLab.name)
                    } else {
                        try await FaultLab.wait(for: "all to run after \(what)") {
                            guard try await lab.desk.state() == "running" else { return false }
                            return try await lab.states() == HostsLab.running
                        }
                        #expect(lab.processes == processes, "nobody was replaced: \(what)")
                        #expect(lab.machines(of: name, on: lab.far) == [], "\(what)")
                        #expect(!lab.desk.checkpoints.contains(name), "\(what)")
                    }
                    #expect(try await lab.states() == HostsLab.running, "\(what)")
                }
                try await lab.desk.done("suspend", "\(FaultLab.name)@last")
                try await lab.desk.done("resume", FaultLab.name)
                #expect(try await lab.states() == HostsLab.running)
            }
        }

        @Test(arguments: FaultLab.QEMU.present)
        func `killed while a resume is armed: nothing is left of it, and the checkpoint resumes`(
            _ qemu: FaultLab.QEMU
        ) async throws {
            try await HostsLab.with(qemu) { lab in
                let desk = lab.desk
                try await desk.done("up", try lab.manifest())
                try await desk.done("suspend", "\(FaultLab.name)@s1", "--sealed")
                let answer = try await desk.follow("resume", FaultLab.name, "--in", "3s") { command in
                    try await command.phase("armed")
                    try await FaultLab.wait(for: "the agent's journal") { lab.far.journalPhase == "armed" }
                    try await lab.killAgent()
                    try await lab.startAgent()
                }
                #expect([1, 5].contains(answer.status), "\(answer)")
                try await FaultLab.wait(for: "an end of both") {
                    guard lab.processes.isEmpty else { return false }
                    return try await desk.state() == "suspended"
                }
                try await desk.done("resume", FaultLab.name)
                #expect(try await lab.states() == HostsLab.running)
            }
        }

        @Test(arguments: ["--commit", "--rollback"])
        func `a resume whose agent is gone when the next daemon asks: it waits, until somebody decides`(
            _ decision: String
        ) async throws {
            try await HostsLab.with(.installed) { lab in
                let desk = lab.desk
                try await desk.done("up", try lab.manifest())
                try await desk.done("suspend", "\(FaultLab.name)@s1", "--sealed")
                let gate = try DatabaseGate(desk)
                defer { gate.open() }
                let answer = try await desk.follow("resume", FaultLab.name, "--in", "2s") { command in
                    try await command.phase("armed")
                    try await FaultLab.wait(for: "the agent's journal") { lab.far.journalPhase == "armed" }
                    try await gate.shut()
                    try await FaultLab.wait(for: "both to run") { try await lab.states() == HostsLab.running }
                    try await desk.killDaemon()
                    try await lab.killAgent()
                    gate.open()
                }
                #expect(answer.status == 5, "\(answer)")
                let waiting = try await desk.fermata("resolve", FaultLab.name)
                #expect(waiting.status == 5 && waiting.codes.contains("operation-unresolved"), "\(waiting)")
                #expect(try await lab.states() == HostsLab.running, "nothing is ended while a host is silent")

                let decided = try await desk.fermata("resolve", FaultLab.name, decision)
                #expect(decided.status == 5, "the agent cannot be told yet: \(decided)")
                let other = decision == "--commit" ? "--rollback" : "--commit"
                let changed = try await desk.fermata("resolve", FaultLab.name, other)
                #expect(changed.status == 3 && changed.codes.contains("decision-impossible"), "\(changed)")
                try await lab.startAgent()
                try await FaultLab.wait(for: "the agent to be told") {
                    try await desk.fermata("resolve", FaultLab.name).codes.contains("nothing-to-resolve")
                }
                #expect(try await desk.state() == (decision == "--commit" ? "running" : "suspended"))
                if decision == "--commit" {
                    #expect(try await lab.states() == HostsLab.running)
                } else {
                    #expect(lab.processes.isEmpty)
                    try await desk.done("resume", FaultLab.name)
                    #expect(try await lab.states() == HostsLab.running)
                }
            }
        }

        private static func suspend(
            _ lab: HostsLab,
            as name: String,
            with fault: Fault
        ) async throws -> FaultLab.Answer {
            let target = "\(FaultLab.name)@\(name)"
            if fault == .beforePrepare {
                try await lab.killAgent()
                return try await lab.desk.fermata("suspend", target)
            }
            let gate = try DatabaseGate(lab.desk)
            defer {
                gate.open()
                lab.far.thaw("beta")
            }
            return try await lab.desk.follow("suspend", target, "--in", "2s") { command in
                try await command.phase("armed")
                try await FaultLab.wait(for: "the agent's journal") { lab.far.journalPhase == "armed" }
                switch fault {
                case .beforePrepare: break
                case .armed:
                    try await lab.killAgent()
                    try await lab.startAgent()
                case .controlArmed: try await lab.desk.killDaemon()
                case .stopping:
                    lab.far.freeze("beta")
                    try await FaultLab.wait(for: "alpha to stand still") {
                        try await lab.desk.runState(of: "alpha") != "running"
                    }
                    try await lab.killAgent()
                    lab.far.thaw("beta")
                    try await lab.startAgent()
                case .saved, .untold, .controlSaved, .bothSaved:
                    try await gate.shut()
                    // Both have saved; the next write of the database, behind their reports, is what is held up.
                    try await FaultLab.wait(for: "both to have saved") {
                        command.lines.filter {
                            $0["event"]?.stringValue == "stage" && $0["name"]?.stringValue == "sync"
                        }
                        .count == 2
                    }
                    try await Task.sleep(for: .milliseconds(500))
                    if fault.killsControl { try await lab.desk.killDaemon() }
                    if fault.killsAgent { try await lab.killAgent() }
                    if fault == .saved { kill(command.id, SIGINT) }
                    try await Task.sleep(for: .milliseconds(200))
                    gate.open()
                }
            }
        }
    }
}
