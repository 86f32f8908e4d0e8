/// A regular expression that is looked for in a line.
package enum Pattern {
    /// - Throws: when it is none.
    static func compile(_ text: String) throws -> Regex<AnyRegexOutput> {
        try Regex(text).matchingSemantics(.unicodeScalar)
    }

    /// - Returns: why it is none.
    static func problem(of text: String) -> String? {
        guard !text.isEmpty else { return "an empty pattern is found in everything" }
        do {
            _ = try compile(text)
            return nil
        } catch {
            return "'\(text.prefix(40))' is no regular expression: \(error)"
        }
    }
}
