public import Time

/// When a hook runs.
public enum HookEvent: String, Codable, Hashable, Sendable, CaseIterable {
    case beforeStart = "before-start"
    case afterStart = "after-start"
    case beforeSuspend = "before-suspend"
    case afterSuspend = "after-suspend"
    case beforeCheckpoint = "before-checkpoint"
    case afterCheckpoint = "after-checkpoint"
    case beforeResume = "before-resume"
    case afterResume = "after-resume"
    /// After an operation that did not do what it was to do, unless it was called off.
    case failed
    /// When a trigger of the manifest says so. It is none of the manifest's `hooks`.
    case trigger

    public static func before(_ kind: OperationKind) -> HookEvent {
        switch kind {
        case .start: .beforeStart
        case .suspend: .beforeSuspend
        case .checkpoint: .beforeCheckpoint
        case .resume: .beforeResume
        }
    }

    public static func after(_ kind: OperationKind) -> HookEvent {
        switch kind {
        case .start: .afterStart
        case .suspend: .afterSuspend
        case .checkpoint: .afterCheckpoint
        case .resume: .afterResume
        }
    }
}

/// A command that the control instance's host runs before or after an operation of a simulation.
public struct HookSpec: Codable, Hashable, Sendable {
    public var event: HookEvent
    /// The program first; not through a shell.
    public var command: [String]
    public var timeout: Span

    private enum CodingKeys: String, CodingKey {
        case event, command
        case timeout = "timeoutNs"
    }

    public init(event: HookEvent, command: [String], timeout: Span = .seconds(10)) {
        self.event = event
        self.command = command
        self.timeout = timeout
    }
}
