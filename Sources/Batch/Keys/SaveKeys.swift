import Manifest

/// Steps that save a simulation, or end it.
enum SaveKeys {
    private static let nowhere = Place(line: 1, column: 1)
    private static let name = ValueType<String>.name(of: "checkpoint")

    static let checkpoint = Key<Step>(
        "checkpoint",
        ValueType<Step>.orNothing(
            name.map { name, item, _ in Step(place: item.place, action: .checkpoint(name)) },
            standard: Step(place: nowhere, action: .checkpoint(nil))
        ),
        "saves it under that name while it runs on"
    )

    static let saved = Key("as", name, standard: "s1, s2…", "the checkpoint's name")

    static let suspend = Key<Step>(
        "suspend",
        ValueType<Step>.orNothing(
            .either(
                name.map { name, item, _ in Step(place: item.place, action: .suspend(name, .asap)) },
                orObject: .object(
                    "suspend",
                    label: "a mapping with as, at, in",
                    keys: [saved.description, InstantKeys.at.description, InstantKeys.delay.description]
                ) { object in
                    let name = object(saved)
                    return Step(place: object.place, action: .suspend(name, InstantKeys.instant(object)))
                }
            ),
            standard: Step(place: nowhere, action: .suspend(nil, .asap))
        ),
        "stops its machines at one instant and saves it"
    )

    static let down = Key<Step>("down", nothing, "ends its machines; the end of the steps does that, too")

    private static let nothing = ValueType<Step>.orNothing(
        ValueType<Step>.never("nothing", "'down' takes nothing: write '- down'"),
        standard: Step(place: nowhere, action: .down)
    )
}
