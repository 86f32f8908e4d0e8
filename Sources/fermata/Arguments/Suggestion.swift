import ArgumentParser

/// What somebody may have meant who wrote a verb that is none.
enum Suggestion {
    /// A sentence when the first word is no verb, else nil.
    static func unknownVerb(in arguments: [String], of command: any ParsableCommand.Type) -> String? {
        guard let word = arguments.dropFirst().first, !word.hasPrefix("-") else { return nil }
        let verbs = command.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard !verbs.contains(word) else { return nil }
        let nearest = verbs.map { (verb: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        let hint = nearest.flatMap { $0.distance <= 2 ? " Did you mean '\($0.verb)'?" : nil } ?? ""
        return "fermata: there is no verb '\(word.prefix(40))'.\(hint) 'fermata --help' lists them."
    }

    /// How many letters have to be put in, taken out, changed or swapped with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        // Nobody mistypes a verb at that length, and the work grows with the product.
        let (left, right) = (Array(left.prefix(40)), Array(right.prefix(40)))
        var rows = [Array(0...right.count)]
        for (i, a) in left.enumerated() {
            var row = [i + 1]
            for (j, b) in right.enumerated() {
                var best = min(rows[i][j] + (a == b ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
