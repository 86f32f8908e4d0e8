/// Guesses what somebody meant who wrote something else.
package enum Similarity {
    /// `; did you mean 'memory'?`, or nothing.
    package static func hint(for word: String, among words: [String]) -> String {
        let best = words.map { (distance(word, $0), $0) }.min { $0 < $1 }
        guard let best, best.0 <= max(1, min(3, word.count / 3)) else { return "" }
        return "; did you mean '\(best.1)'?"
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
    static func distance(_ left: String, _ right: String) -> Int {
        // Nothing that long is a key that was mistyped.
        let (left, right) = (Array(left.prefix(64)), Array(right.prefix(64)))
        var table = [[Int]](repeating: [Int](repeating: 0, count: right.count + 1), count: left.count + 1)
        for row in 0...left.count { table[row][0] = row }
        for column in 0...right.count { table[0][column] = column }
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        for row in 1...left.count {
            for column in 1...right.count {
                let change = left[row - 1] == right[column - 1] ? 0 : 1
                var best = min(
                    table[row - 1][column] + 1,
                    table[row][column - 1] + 1,
                    table[row - 1][column - 1] + change
                )
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    best = min(best, table[row - 2][column - 2] + 1)
                }
                table[row][column] = best
            }
        }
        return table[left.count][right.count]
    }
}
