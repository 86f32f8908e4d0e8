import HypervisorAPI
import Time

/// What runs before and after operations.
enum HookKeys {
    static let run = Key("run", ResourceKeys.argumentVector, required: true, "the command, with its arguments")
    static let timeout = Key(
        "timeout",
        ValueType<Span>.duration,
        standard: "10s",
        "how long it may take; then it is ended, with all that it has started"
    )

    private static let keys = HookEvent.allCases.filter { $0 != .trigger }.map { event in
        Key(event.rawValue, hook(event), doc(event))
    }

    static let type = ValueType<[HookSpec]>.object(
        "hooks",
        label: "a mapping of hooks",
        keys: keys.map(\.description)
    ) { object in keys.compactMap { object($0) } }

    static func hook(_ event: HookEvent) -> ValueType<HookSpec> {
        ValueType<HookSpec>.object(
            "a hook",
            label: "a hook's mapping",
            keys: [run.description, timeout.description]
        ) { object in
            let command = object(run)
            let timeout = object(timeout) ?? .seconds(10)
            return command.map { HookSpec(event: event, command: $0, timeout: timeout) }
        }
    }

    private static func doc(_ event: HookEvent) -> String {
        switch event {
        case .beforeStart: "before the machines are started"
        case .afterStart: "after they were"
        case .beforeSuspend: "before a suspend is prepared"
        case .afterSuspend: "after it is done"
        case .beforeCheckpoint: "before a checkpoint is prepared"
        case .afterCheckpoint: "after it is done"
        case .beforeResume: "before a resume or clone is prepared"
        case .afterResume: "after it is done"
        case .failed: "after one of them was not done, unless it was called off"
        case .trigger: "when a trigger says so"
        }
    }
}
