import GuestClock
import HypervisorAPI
import Manifest
import Time

/// Steps after which machines run.
enum StartKeys {
    static let source = ValueType<String>.string.map { text, item, reading -> Source? in
        guard !text.isEmpty else {
            reading.report("expected a lab file, SIM@NAME, or prepared, found nothing", at: item.place)
            return nil
        }
        return Source(text, from: reading.folder)
    }
    static let from = Key(
        "from",
        source,
        required: true,
        "a lab file, a checkpoint `SIM@NAME` or suspended `SIM` of which a copy is made, or `prepared`"
    )
    static let clock = Key(
        "clock",
        ValueType<ClockPolicy>.policy,
        "what the guests' clocks shall read: `continue`, `host`, `+90s`, `-5m`, `at=2026-12-31T23:59:50Z`"
    )
    static let scope = Key(
        "scope",
        ValueType<ClockScope>.word,
        standard: "rtc",
        "which clocks that moves: real-time clock devices, or `all`"
    )
    static let checkpoint = Key(
        "checkpoint",
        ValueType<String>.name(of: "checkpoint"),
        "the checkpoint; the one that it is suspended to if left out"
    )
    static let to = Key("to", ValueType<String>.name(of: "checkpoint"), required: true, "the checkpoint to go back to")
    static let keeping = Key(
        "as",
        ValueType<String>.name(of: "checkpoint"),
        "the checkpoint that what runs is saved to"
    )
    static let discard = Key(
        "discard",
        ValueType<Bool>.boolean,
        standard: "false",
        "whether what runs ends without being saved"
    )

    static let up = Key(
        "up",
        ValueType<Step>.either(
            source.map { source, item, _ in Step(place: item.place, action: .up(source, .init())) },
            orObject: .object(
                "up",
                label: "a mapping with from, clock, scope",
                keys: [from.description, clock.description, scope.description]
            ) { object in
                let source = object(from)
                let change = change(object)
                guard let source else { return nil }
                if case .lab = source, object.has(clock) || object.has(scope) {
                    object.reading.report(
                        "a lab file says itself what its clocks begin with ('rtc' of a machine); "
                            + "'clock' is for checkpoints",
                        at: object.has(clock) ? object.place(of: clock) : object.place(of: scope)
                    )
                }
                return Step(place: object.place, action: .up(source, change))
            }
        ),
        "starts the machines of a lab file, or a copy of a checkpoint's, each combination's beside the others"
    )

    static let resume = Key(
        "resume",
        ValueType<Step>.orNothing(
            .either(
                ValueType<String>.name(of: "checkpoint").map { name, item, _ in
                    Step(place: item.place, action: .resume(name, .init(), .asap))
                },
                orObject: .object(
                    "resume",
                    label: "a mapping with checkpoint, clock, scope, at, in",
                    keys: [
                        checkpoint.description, clock.description, scope.description, InstantKeys.at.description,
                        InstantKeys.delay.description,
                    ]
                ) { object in
                    let name = object(checkpoint)
                    let change = change(object)
                    return Step(place: object.place, action: .resume(name, change, InstantKeys.instant(object)))
                }
            ),
            standard: Step(place: Place(line: 1, column: 1), action: .resume(nil, .init(), .asap))
        ),
        "lets it go on after a `suspend`"
    )

    static let rewind = Key(
        "rewind",
        ValueType<Step>.either(
            ValueType<String>.name(of: "checkpoint").map { name, item, _ in
                Step(place: item.place, action: .rewind(name, .init(), .checkpoint(nil)))
            },
            orObject: .object(
                "rewind",
                label: "a mapping with to, clock, scope, as, discard",
                keys: [
                    to.description, clock.description, scope.description, keeping.description, discard.description,
                ]
            ) { object in
                let name = object(to)
                let change = change(object)
                let kept = object(keeping)
                let isDiscarded = object(discard) ?? false
                if isDiscarded, object.has(keeping) {
                    object.reading.report(
                        "what runs is either kept ('as') or discarded, not both",
                        at: object.place(of: discard)
                    )
                }
                return name.map {
                    Step(
                        place: object.place,
                        action: .rewind($0, change, isDiscarded ? .nothing : .checkpoint(kept))
                    )
                }
            }
        ),
        "goes back to a checkpoint that an earlier step has made"
    )

    private static func change(_ object: ObjectReader) -> StepAction.ClockChange {
        let policy = object(clock)
        let scope = object(scope)
        if object.has(Self.scope), !object.has(clock) {
            object.reading.report(
                "'scope' says which clocks 'clock' moves: give 'clock', too",
                at: object.place(of: Self.scope)
            )
        }
        return StepAction.ClockChange(policy: policy, scope: scope)
    }
}
