import Manifest

/// A step: a mapping with the one thing that is to be done.
enum StepKeys {
    static let verbs: [Key<Step>] = [
        StartKeys.up, WaitKeys.wait, SaveKeys.checkpoint, SaveKeys.suspend, StartKeys.resume, StartKeys.rewind,
        CommandKeys.exec, ExpectationKeys.assert, CommandKeys.send, SaveKeys.down,
    ]

    /// That need nothing said.
    static let words: [String: StepAction] = [
        SaveKeys.checkpoint.name: .checkpoint(nil), SaveKeys.suspend.name: .suspend(nil, .asap),
        StartKeys.resume.name: .resume(nil, .init(), .asap), SaveKeys.down.name: .down,
    ]

    /// With nil for what is no step, which has been reported.
    static let list = ValueType<[Placed<Step?>]>.list(of: readable, atLeast: 1, "a list of steps")

    private static let either = ValueType<Step>.either(word, orObject: mapping)
    private static let readable = ValueType<Step?>(either.label, schema: either.schema, objects: either.objects) {
        item,
        reading in
        .some(either.read(item, reading))
    }

    private static let word = ValueType<String>.string.map { text, item, reading -> Step? in
        if let action = words[text] { return Step(place: item.place, action: action) }
        let names = verbs.map(\.name)
        let hint =
            names.contains(text)
            ? "; write '\(text): …'" : Similarity.hint(for: text, among: names)
        reading.report(
            "expected a step, a mapping such as 'up: lab.yaml', found '\(text.prefix(40))'\(hint)",
            at: item.place
        )
        return nil
    }

    private static let mapping = ValueType<Step>.object(
        "a step",
        label: "a step",
        keys: verbs.map(\.description)
    ) { object in
        let there = verbs.filter { object.has($0) }
        guard there.count <= 1 else {
            object.reading.report(
                "a step does one thing, and this has \(there.map { "'\($0.name)'" }.joined(separator: " and ")): "
                    + "begin each with a '-' of its own",
                at: object.place
            )
            return nil
        }
        // With an unknown key alone, that is what was reported.
        guard let verb = there.first, var step = object(verb) else { return nil }
        step.place = object.place
        return step
    }
}
