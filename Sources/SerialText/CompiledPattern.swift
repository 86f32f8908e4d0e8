/// A regular expression that is looked for in many lines: it is read once.
package struct CompiledPattern {
    let regex: Regex<AnyRegexOutput>

    /// - Throws: when it is none.
    package init(_ text: String) throws { regex = try Pattern.compile(text) }
}
