import Manifest
import Time

/// The batch file as a whole.
enum BatchKeys {
    static let name = Key(
        "batch",
        ValueType<String>.name(of: "batch"),
        required: true,
        "its name, with which the names of its simulations begin"
    )
    static let timeout = Key(
        "timeout",
        ValueType<Span>.duration,
        standard: "1m",
        "how long a `wait` and an `exec` may take that say nothing of it"
    )
    static let matrix = Key(
        "matrix",
        ValueType<[Placed<Axis>]>.map(of: "value", { Axis.type(named: $0) }, "a mapping of lists"),
        "lists of values by names: the steps are done with each combination of them, in which `${{ name }}` is the value"
    )
    static let times = Key(
        "repeat",
        ValueType<Int>.integer(1...Batch.mostCombinations),
        standard: "1",
        "how many times each combination is done; `${{ repeat }}` is the number of the time"
    )
    static let prepare = Key(
        "prepare",
        StepKeys.list,
        "steps that are done once, before the combinations, which begin with `up: prepared`: a copy of what these leave"
    )
    static let steps = Key("steps", StepKeys.list, required: true, "the steps of each combination")

    static let type = ValueType<Draft>.object(
        "the batch file",
        label: "a mapping",
        keys: [
            name.description, timeout.description, matrix.description, times.description, prepare.description,
            steps.description,
        ]
    ) { object in
        let name = object(name)
        let timeout = object(timeout) ?? .seconds(60)
        let prepare = object.has(Self.prepare) ? object(Self.prepare) ?? [] : nil
        defer { object.reading.values = [:] }
        let combinations = Self.combinations(object).map { values in
            object.reading.values = Dictionary(values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            // Read once for each: a value may stand for anything.
            return (values: values, steps: filled(object(Self.steps) ?? [], timeout))
        }
        return Draft(name: name, prepare: prepare.map { filled($0, timeout) }, combinations: combinations)
    }

    /// One at least, also when the matrix is wrong: the steps have to be looked at.
    private static func combinations(_ object: ObjectReader) -> [[Combination.Value]] {
        var axes = object(matrix)?.map(\.value) ?? []
        if let count = object(times), count > 1 {
            if axes.contains(where: { $0.name == times.name }) {
                object.reading.report(
                    "'\(times.name)' is the name of a value of the matrix, too",
                    at: object.place(of: times)
                )
            }
            axes.append(Axis(name: times.name, values: (1...count).map { "\($0)" }))
        }
        if let all = Axis.combinations(axes, atMost: Batch.mostCombinations) { return all }
        object.reading.report(
            "these are more than \(Batch.mostCombinations) combinations",
            at: object.has(matrix) ? object.place(of: matrix) : object.place(of: times)
        )
        return [axes.map { Combination.Value($0.name, $0.values[0]) }]
    }

    private static func filled(_ steps: [Placed<Step?>], _ timeout: Span) -> [Step?] {
        steps.map(\.value).map { step in
            guard var step else { return nil }
            switch step.action {
            case .waitForSerial, .execute: step.timeout = step.timeout ?? timeout
            // A guest's time passes as fast as the host's, when all is well.
            case .waitForGuest(_, let span): step.timeout = step.timeout ?? span + timeout
            default: break
            }
            return step
        }
    }
}
