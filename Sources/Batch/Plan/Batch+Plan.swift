import SerialText

extension Batch {
    /// What would be done, in words, a line each.
    package var plan: [String] {
        var lines = ["\(name): \(combinations.count == 1 ? "one combination" : "\(combinations.count) combinations")"]
        if !prepare.isEmpty {
            lines.append("first, once:")
            lines += Self.lines(prepare)
        }
        for combination in combinations {
            lines.append("\(combination.number). \(Visible.text(combination.name)):")
            lines += Self.lines(combination.steps)
        }
        return lines
    }

    private static func lines(_ steps: [Step]) -> [String] { steps.map { "  line \($0.line): \($0.words)" } }
}
