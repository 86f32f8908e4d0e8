import ControlInstance
import HostClock
import Time

/// One line that is written over while an operation runs, where the terminal can; elsewhere nothing.
struct ProgressLine {
    let terminal: Terminal
    let title: String
    let enabled: Bool

    private var shown = false
    private var phase = "asking the hypervisors"

    init(terminal: Terminal, title: String, enabled: Bool) {
        self.terminal = terminal
        self.title = title
        self.enabled = enabled && terminal.canRewrite
    }

    mutating func show(_ event: OperationEvent) {
        switch event {
        case .phase(_, let phase, let deadline):
            self.phase = Self.words(phase, deadline)
            write(self.phase)
        case .stage(let stage):
            // The instant has come: the phase is told only when every host has reported.
            if stage.name == "stop" { phase = "stopped, saving" }
            if stage.name == "cont" { phase = "running" }
            let machine = stage.machine.map { "\($0): " } ?? ""
            let bytes = stage.bytes.map { ", \(TimeText.bytes($0))" } ?? ""
            write("\(phase) (\(machine)\(stage.name) took \(TimeText.span(stage.duration))\(bytes))")
        case .result: clear()
        }
    }

    mutating func clear() {
        if shown { terminal.rewrite("") }
        shown = false
    }

    private mutating func write(_ text: String) {
        guard enabled else { return }
        terminal.rewrite("\(title): \(text)…")
        shown = true
    }

    private static func words(_ phase: OperationPhase, _ deadline: HostInstant?) -> String {
        switch phase {
        case .preparing: "asking the hypervisors"
        case .prepared: "all are ready"
        case .armed:
            deadline.map {
                "armed for \(TimeText.clock($0, fraction: 3)), \(TimeText.relative($0, to: SystemClock().now()))"
            }
                ?? "armed"
        case .happened: "happened"
        case .deciding: "telling the hypervisors the outcome"
        case .finished: "finished"
        }
    }
}
