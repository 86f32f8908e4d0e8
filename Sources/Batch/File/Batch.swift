package import Manifest

/// A night's work as people write it: steps, and the values that they are done with. docs/batch.md shows the format.
package struct Batch: Hashable, Sendable {
    package var name: String
    /// Done once, before the combinations, which begin with what they leave; empty: nothing is.
    package var prepare: [Step]
    /// One at least, in the order in which they are done.
    package var combinations: [Combination]

    /// More than that is no night's work but a mistake in a matrix.
    static let mostCombinations = 1_000

    package init(name: String, prepare: [Step], combinations: [Combination]) {
        self.name = name
        self.prepare = prepare
        self.combinations = combinations
    }

    /// Reads a batch file, and checks all that can be told without beginning anything.
    /// - Parameters:
    ///   - file: what errors call it.
    ///   - folder: absolute; where relative paths begin.
    ///   - machines: of a lab file, by its path.
    /// - Throws: everything that is wrong with it.
    package static func parse(
        text: String,
        file: String,
        folder: String,
        environment: [String: String],
        machines: @escaping (String) throws(ManifestError) -> [String]
    ) throws(ManifestError) -> Batch {
        let reading = Reading(
            file: file,
            folder: folder,
            environment: environment,
            checkingFiles: false,
            subject: "batch file",
            values: [:]
        )
        let draft = reading.read(text, as: BatchKeys.type)
        if let draft {
            let labs = Labs(machines)
            var preparation = Flow(reading, labs, isPreparing: true)
            preparation.check(draft.prepare ?? [])
            for combination in draft.combinations {
                var flow = Flow(reading, labs, prepared: draft.prepare == nil ? nil : preparation)
                flow.check(combination.steps)
            }
        }
        guard let draft, let name = draft.name, reading.problems.isEmpty else { throw reading.error }
        return Batch(
            name: name,
            prepare: (draft.prepare ?? []).compactMap { $0 },
            combinations: draft.combinations.enumerated().map { index, combination in
                Combination(
                    number: index + 1,
                    values: combination.values,
                    steps: combination.steps.compactMap { $0 }
                )
            }
        )
    }

    /// All keys with their types, defaults and meanings, as Markdown.
    package static var keyTable: String { KeyTable.markdown(of: BatchKeys.type.objects) }
}
