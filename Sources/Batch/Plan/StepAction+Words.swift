import GuestClock
import SerialText
import Time

extension Step {
    /// `wait until /ready/ comes from server (60s at most)`.
    package var words: String {
        guard let timeout else { return action.words }
        return "\(action.words) (\(timeout) at most)"
    }
}

extension StepAction {
    /// What is done, as a plan has it.
    package var words: String {
        switch self {
        case .up(let source, let change): "\(Self.start(source))\(change.words)"
        case .waitForSerial(let port, let pattern): "wait until /\(pattern)/ comes from \(port.words)"
        case .waitForGuest(let port, let span): "wait until \(span) have passed in \(port.machine)"
        case .checkpoint(let name): "save it while it runs\(Self.name(name))"
        case .suspend(let name, let instant): "suspend it\(Self.name(name))\(instant.words)"
        case .resume(let name, let change, let instant):
            "let it go on\(name.map { " from @\($0)" } ?? "")\(change.words)\(instant.words)"
        case .rewind(let name, let change, let keeping):
            "go back to @\(name)\(change.words)\(keeping == .nothing ? "; what runs is discarded" : "")"
        case .execute(let words, let status):
            "run \(Self.shown(words.joined(separator: " ")))" + (status == 0 ? "" : ", which has to end with \(status)")
        case .expectClock(let port, let range):
            "check that the clock of \(port.machine) reads \(range.lowerBound) to \(range.upperBound)"
        case .expectSerial(let port, let pattern, let isAbsent):
            "check that /\(pattern)/ has \(isAbsent ? "not " : "")come from \(port.words)"
        case .send(let port, let text): "type \(Self.shown(text)) into \(port.words)"
        case .down: "end it"
        }
    }

    private static func start(_ source: Source) -> String {
        switch source {
        case .lab(let path): "start \(path)"
        case .checkpoint: "start a copy of \(source)"
        case .prepared: "start a copy of what was prepared"
        }
    }

    private static func name(_ name: String?) -> String { name.map { " as @\($0)" } ?? "" }

    private static func shown(_ text: String) -> String { "'\(Visible.text(text.trimmingLineFeed))'" }
}

extension StepAction.ClockChange {
    var words: String {
        guard let policy else { return "" }
        return ", clocks \(policy)" + (scope == .all ? " (all of them)" : "")
    }
}

extension StepAction.Instant {
    var words: String {
        switch self {
        case .asap: ""
        case .at(let instant): " at \(instant)"
        case .in(let span): " in \(span)"
        }
    }
}

extension String {
    fileprivate var trimmingLineFeed: String { hasSuffix("\n") ? String(dropLast()) : self }
}
