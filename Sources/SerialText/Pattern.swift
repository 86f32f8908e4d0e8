/// A regular expression that is looked for in a line.
package enum Pattern {
    /// Reading one recurses with its parentheses.
    static let longest = 512

    /// - Throws: when it is none.
    static func compile(_ text: String) throws -> Regex<AnyRegexOutput> {
        guard text.unicodeScalars.count <= longest else { throw TooLong() }
        return try Regex(text).matchingSemantics(.unicodeScalar)
    }

    /// - Returns: why it is none.
    package static func problem(of text: String) -> String? {
        guard !text.isEmpty else { return "an empty pattern is found in everything" }
        do {
            _ = try compile(text)
            return nil
        } catch {
            return "'\(text.prefix(40))' is no regular expression: \(error)"
        }
    }

    private struct TooLong: Error, CustomStringConvertible {
        var description: String { "it is longer than \(Pattern.longest) characters" }
    }
}
